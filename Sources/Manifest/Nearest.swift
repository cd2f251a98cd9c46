extension Manifest {
    /// Finds the name that was probably meant by a mistyped one: few edits away (insert, remove, replace or swap
    /// letters; case is free), and the first of those equally near. Nil where none is near enough.
    public static func nearest(to name: String, among names: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().unicodeScalars)
        guard !wanted.isEmpty, wanted.count <= 100 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in names {
            let letters = Array(candidate.lowercased().unicodeScalars)
            let limit = min(3, max(1, max(wanted.count, letters.count) / 3), (best?.distance ?? 4) - 1)
            if limit < 0 || abs(letters.count - wanted.count) > limit { continue }
            let distance = editDistance(wanted, letters)
            if distance <= limit { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Counts edits, a swap of neighbours as one (optimal string alignment).
    private static func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var previous: [Int] = []
        var current = Array(0...right.count)
        var next = current
        for row in 0..<left.count {
            next[0] = row + 1
            for column in 0..<right.count {
                let cost = left[row] == right[column] ? 0 : 1
                var best = min(current[column] + cost, current[column + 1] + 1, next[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, previous[column - 1] + 1)
                }
                next[column + 1] = best
            }
            previous = current
            current = next
        }
        return current[right.count]
    }
}
