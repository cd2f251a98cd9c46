import Platform

/// A table for people: the first column to the left, the others to the right.
struct Table {
    private let widths: [Int]

    /// Prints the head.
    init(_ titles: [String], widths: [Int]) {
        self.widths = widths
        row(titles)
    }

    func row(_ cells: [String]) {
        var line = " "
        for (index, cell) in cells.enumerated() {
            let blanks = String(repeating: " ", count: max(widths[index] - cell.count, 0))
            line += " " + (index == 0 ? cell + blanks : blanks + cell)
        }
        print(line)
    }
}

/// The order of a round: every other one backwards, so that nobody always goes first.
func inTurns(_ count: Int, _ round: Int) -> [Int] {
    round.isMultiple(of: 2) ? Array(0..<count) : (0..<count).reversed()
}

/// A figure that the project wants to reach, and whether it did.
func verdict(_ figure: String, isMet: Bool) {
    print("  \(isMet ? "met:    " : "NOT MET:") \(figure)")
}

/// A figure of the kind "no worse than theirs", where less is better, of rounds in which both met the same weather.
///
/// What differs by less than the noise would be met one day and not met the next, so the rounds decide (a one-sided
/// sign test): it is not met where ours was worse in so many that chance gives that in less than one case of twenty.
func verdict<T: Comparable>(_ figure: String, ours: [T], theirs: [T]) {
    let rounds = zip(ours, theirs).filter { $0 != $1 }
    let worse = rounds.count { $0 > $1 }
    let said = "\(figure): worse in \(worse) of \(rounds.count) rounds"
    if !rounds.isEmpty, chance(ofAtLeast: rounds.count, of: rounds.count) >= 0.05 {
        // Not even all of them would say anything.
        return print("  open:    \(said), which are too few to tell")
    }
    verdict(said, isMet: chance(ofAtLeast: worse, of: rounds.count) >= 0.05)
}

/// How likely so many heads or more are in that many throws of a coin.
private func chance(ofAtLeast heads: Int, of throwCount: Int) -> Double {
    var likelihood = 1.0
    for _ in 0..<throwCount { likelihood /= 2 }
    var sum = 0.0
    for count in 0...throwCount {
        if count >= heads { sum += likelihood }
        likelihood *= Double(throwCount - count) / Double(count + 1)
    }
    return sum
}

/// The middle one; of an even number the lower.
func median<T: Comparable>(_ values: [T]) -> T { values.sorted()[(values.count - 1) / 2] }

extension Duration {
    var milliseconds: Double { Double(nanoseconds) / 1_000_000 }
    var inSeconds: Double { Double(nanoseconds) / 1_000_000_000 }
}

/// `3.1 ms`.
func shown(_ duration: Duration) -> String { "\(rounded(duration.milliseconds)) ms" }

/// `310.5 us`, for what takes less than a few milliseconds.
func microseconds(_ duration: Duration) -> String { "\(rounded(duration.milliseconds * 1000)) us" }

/// With `digits` behind the point; without the C library's `printf`.
func rounded(_ value: Double, digits: Int = 1) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let whole = Int((value * Double(scale)).rounded())
    let fraction = String(whole.magnitude % UInt(scale))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(whole < 0 ? "-" : "")\(whole.magnitude / UInt(scale)).\(zeros)\(fraction)"
}

/// Lets `duration` pass.
func pause(_ duration: Duration) { _ = PlatformSemaphore().wait(within: duration) }
