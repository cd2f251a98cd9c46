/// How far a head has been read, so that each call goes on where the last one stopped.
struct HeadProgress: Sendable {
    private(set) var startLineDone = false
    /// Where the line being read begins.
    private(set) var lineStart = 0
    /// Up to here the line is known to hold no LF.
    private var scanned = 0

    mutating func skip(_ count: Int) {
        lineStart += count
        scanned = lineStart
    }

    mutating func finishStartLine(next: Int) {
        startLineDone = true
        lineStart = next
        scanned = next
    }

    /// The offset of the current line's LF, if it is there.
    mutating func lineEnd(_ base: UnsafeRawPointer, _ count: Int) -> Int? {
        let end = first(Byte.lf, base, from: scanned, to: count)
        if end == count {
            scanned = count
            return nil
        }
        return end
    }

    /// Reads header lines to the empty one. Whole lines only are judged, limits first, so that the verdict is the
    /// same however the bytes were cut.
    mutating func takeFields(
        _ section: inout FieldSection, _ base: UnsafeRawPointer, _ count: Int, _ limits: HTTPLimits
    ) -> HeadResult {
        // After a cut in the middle of a line, a plain scan for its end comes before it is parsed again.
        if scanned > lineStart, lineEnd(base, count) == nil { return incomplete(count, limits) }
        while true {
            switch section.takeLine(base, at: lineStart, count: count) {
            case .field(let next):
                guard next <= limits.head else { return tooLong(limits) }
                guard section.fields.count <= limits.fields else {
                    return .invalid(HTTPProblem(431, "more than \(limits.fields) header lines"))
                }
                lineStart = next
                scanned = next
            case .end(let next):
                return next <= limits.head ? .complete(length: next) : tooLong(limits)
            case .incomplete:
                scanned = count
                return incomplete(count, limits)
            case .bad(let problem):
                guard let end = lineEnd(base, count) else { return incomplete(count, limits) }
                return end < limits.head ? .invalid(problem) : tooLong(limits)
            }
        }
    }

    private func incomplete(_ count: Int, _ limits: HTTPLimits) -> HeadResult {
        count < limits.head ? .needMore : tooLong(limits)
    }

    private func tooLong(_ limits: HTTPLimits) -> HeadResult {
        .invalid(HTTPProblem(431, "a head of more than \(limits.head) bytes"))
    }
}
