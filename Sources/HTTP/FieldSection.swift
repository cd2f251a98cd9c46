/// The header lines of one head, and what they say about framing and persistence.
///
/// Lines are checked strictly (RFC 9112 §5): no space before the colon, no folded lines, no control bytes, and CRLF
/// at each end; a lone LF is taken from responses only, since programs under development write it and heads are
/// written anew before they go on.
public struct FieldSection: Sendable {
    /// The lines in their order, repeats kept.
    public private(set) var fields: [HeaderField] = []
    /// The declared length of the body, if there was one.
    public internal(set) var contentLength: UInt64?
    /// Whether there was any `Transfer-Encoding`.
    public internal(set) var hasTransferEncoding = false
    /// Whether `chunked` is the last transfer coding; anything after it has been refused.
    public internal(set) var isChunked = false
    /// A coding besides `chunked`, which nobody here can undo.
    var hasOtherCoding = false
    /// `Connection: close`, `keep-alive` and `upgrade`.
    public internal(set) var saysClose = false
    public internal(set) var saysKeepAlive = false
    public internal(set) var saysUpgrade = false
    /// Whether `Connection` names other fields, which end at this hop; `connectionNames(_:in:)` compares.
    public internal(set) var namesHopFields = false
    public internal(set) var expectsContinue = false
    /// Index of the one `Host` line.
    public internal(set) var host: Int?
    public internal(set) var hostCount = 0

    let isRequest: Bool

    init(isRequest: Bool) {
        self.isRequest = isRequest
    }

    /// Forgets everything but the memory that the lines took.
    mutating func reset() {
        var fresh = FieldSection(isRequest: isRequest)
        swap(&fresh.fields, &fields)
        fresh.fields.removeAll(keepingCapacity: true)
        self = fresh
    }

    enum Line {
        case field(next: Int)
        case end(next: Int)
        /// No verdict before the line is whole.
        case incomplete
        case bad(HTTPProblem)
    }

    /// Reads the line at `start`. The verdict depends on nothing after its first LF.
    mutating func takeLine(_ base: UnsafeRawPointer, at start: Int, count: Int) -> Line {
        guard start < count else { return .incomplete }
        if byte(base, start) <= Byte.space { return lineWithoutName(base, start, count) }

        let nameEnd = firstNonToken(base, from: start, to: count)
        guard nameEnd < count else { return .incomplete }
        guard byte(base, nameEnd) == Byte.colon else {
            return .bad(Self.nameProblem(byte(base, nameEnd)))
        }
        guard nameEnd > start else { return .bad(HTTPProblem(400, "a header line without a name")) }
        guard nameEnd - start <= Int(UInt16.max) else {
            return .bad(HTTPProblem(431, "a header name that is too long"))
        }

        var at = nameEnd &+ 1
        while at < count, isBlank(byte(base, at)) { at &+= 1 }
        let valueStart = at
        at = firstControl(base, from: at, to: count)
        guard at < count else { return .incomplete }
        var valueEnd = at
        if byte(base, at) == Byte.cr {
            guard at + 1 < count else { return .incomplete }
            guard byte(base, at + 1) == Byte.lf else { return .bad(.bareCR) }
            at &+= 2
        } else if byte(base, at) == Byte.lf, !isRequest {
            at &+= 1
        } else {
            return .bad(Self.valueProblem(byte(base, at)))
        }
        while valueEnd > valueStart, isBlank(byte(base, valueEnd &- 1)) { valueEnd &-= 1 }

        let name = Range(uncheckedBounds: (start, nameEnd))
        let value = Range(uncheckedBounds: (valueStart, valueEnd))
        let kind = HeaderField.Kind.of(base, name)
        if kind != .other, let problem = note(kind, base, value) { return .bad(problem) }
        fields.append(
            HeaderField(
                nameStart: UInt32(truncatingIfNeeded: start), valueStart: UInt32(truncatingIfNeeded: valueStart),
                valueLength: UInt32(truncatingIfNeeded: value.count),
                nameLength: UInt16(truncatingIfNeeded: name.count), kind: kind))
        return .field(next: at)
    }

    /// The line that ends the head, or one that begins as none may.
    @inline(never)
    private func lineWithoutName(_ base: UnsafeRawPointer, _ start: Int, _ count: Int) -> Line {
        switch byte(base, start) {
        case Byte.cr:
            guard start + 1 < count else { return .incomplete }
            return byte(base, start + 1) == Byte.lf ? .end(next: start + 2) : .bad(.bareCR)
        case Byte.lf:
            return isRequest ? .bad(.bareLF) : .end(next: start + 1)
        case Byte.space, Byte.tab:
            return .bad(HTTPProblem(400, "a folded header line"))
        case let other:
            return .bad(Self.nameProblem(other))
        }
    }

    @inline(never)
    private static func valueProblem(_ c: UInt8) -> HTTPProblem {
        c == Byte.lf ? .bareLF : HTTPProblem(400, "a control byte in a header value")
    }

    @inline(never)
    private static func nameProblem(_ c: UInt8) -> HTTPProblem {
        switch c {
        case Byte.space, Byte.tab: HTTPProblem(400, "white space before the colon of a header line")
        case Byte.cr, Byte.lf: HTTPProblem(400, "a header line without a colon")
        default: HTTPProblem(400, "a byte that no header name may hold")
        }
    }
}

extension HTTPProblem {
    static let bareCR = HTTPProblem(400, "a CR without its LF")
    static let bareLF = HTTPProblem(400, "an LF without its CR")
}
