/// Reads a chunked body where it lies (RFC 9112 §7.1): tells which ranges are payload, copies none of them.
///
///     1a;ext=1 ⏎ …26 bytes… ⏎ 0 ⏎ Trailer: x ⏎ ⏎
///     size      payload        last  trailers
///
///     var at = 0
///     loop: while true {
///         switch decoder.next(buffer, &at) {
///         case .payload(let range): …        // at is range's end
///         case .needMore: break loop         // at is the buffer's end: everything was consumed
///         case .finished: break loop         // at is where the next message begins
///         case .invalid(let problem): …      // close the connection
///         }
///     }
///
/// The buffer may be cut anywhere and need not be kept: only trailers, which are rare, are copied. Extensions are
/// dropped; payload, trailers and extensions are bounded by `HTTPLimits`, the sum of extensions by 16 KB.
public struct ChunkedDecoder: Sendable {
    public enum Step: Equatable, Sendable {
        case payload(Range<Int>)
        case needMore
        case finished
        case invalid(HTTPProblem)
    }

    private enum State: Sendable {
        case size(digits: Int)
        case beforeExtension
        case `extension`
        case sizeLF
        case payload
        case payloadCR
        case payloadLF
        case trailers
        case finished
    }

    private var state = State.size(digits: 0)
    /// The size being read, then what is left of the chunk.
    private var remaining: UInt64 = 0
    /// Extension bytes on this size line; in the trailers, where the current line begins in `trailerBytes`.
    private var lineLength = 0
    private var extensionBytes = 0
    private var trailerBytes: [UInt8] = []
    private let limits: HTTPLimits

    /// The trailer lines once finished: `Name: value` and CRLF each, checked, without those that may not stand there
    /// (RFC 9110 §6.5.1: framing, routing, connection). Empty for most messages.
    public private(set) var trailers: [UInt8] = []

    public init(limits: HTTPLimits = .standard) {
        self.limits = limits
    }

    public var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Goes on at `at`, and moves it past what was read.
    public mutating func next(_ buffer: UnsafeRawBufferPointer, _ at: inout Int) -> Step {
        guard let base = buffer.baseAddress else { return isFinished ? .finished : .needMore }
        let count = buffer.count
        while true {
            switch state {
            case .finished: return .finished
            case .payload:
                guard at < count else { return .needMore }
                let start = at
                at += Int(min(remaining, UInt64(count - start)))
                remaining -= UInt64(at - start)
                if remaining == 0 { state = .payloadCR }
                return .payload(start..<at)
            case .trailers:
                if let step = takeTrailers(base, &at, count) { return step }
            default:
                guard at < count else { return .needMore }
                let c = byte(base, at)
                at += 1
                if let problem = takeFramingByte(c) { return .invalid(problem) }
            }
        }
    }

    /// One byte of a size line, or of the CRLF behind a payload.
    private mutating func takeFramingByte(_ c: UInt8) -> HTTPProblem? {
        switch state {
        case .size(let digits):
            return takeSizeByte(c, digits)
        case .beforeExtension:
            if isBlank(c) { return countExtension() }
            guard c == Byte.semicolon else { return .malformedSize }
            state = .extension
            return countExtension()
        case .extension:
            if c == Byte.cr {
                state = .sizeLF
                return nil
            }
            guard c >= 0x20 || c == Byte.tab, c != Byte.delete else {
                return HTTPProblem(400, "a control byte in a chunk extension")
            }
            return countExtension()
        case .sizeLF:
            guard c == Byte.lf else { return .bareCR }
            state = remaining == 0 ? .trailers : .payload
            lineLength = 0
            return nil
        case .payloadCR:
            guard c == Byte.cr else { return HTTPProblem(400, "a chunk longer than its size says") }
            state = .payloadLF
            return nil
        case .payloadLF:
            guard c == Byte.lf else { return HTTPProblem(400, "a chunk longer than its size says") }
            state = .size(digits: 0)
            return nil
        case .payload, .trailers, .finished:
            return nil
        }
    }

    /// Hexadecimal digits, at most 16 and below 2^63: no sign, no `0x`, no underscore, no space before them.
    private mutating func takeSizeByte(_ c: UInt8, _ digits: Int) -> HTTPProblem? {
        if let digit = hexDigit(c) {
            guard digits < 16, remaining >> 59 == 0 else { return HTTPProblem(400, "a chunk size that is too large") }
            remaining = remaining << 4 | UInt64(digit)
            state = .size(digits: digits + 1)
            return nil
        }
        guard digits > 0 else { return .malformedSize }
        switch c {
        case Byte.cr: state = .sizeLF
        case Byte.semicolon:
            state = .extension
            return countExtension()
        case Byte.space, Byte.tab:
            state = .beforeExtension
            return countExtension()
        default: return .malformedSize
        }
        return nil
    }

    private mutating func countExtension() -> HTTPProblem? {
        lineLength += 1
        extensionBytes += 1
        guard lineLength <= limits.chunkLine, extensionBytes <= 16_384 else {
            return HTTPProblem(400, "chunk extensions that are too long")
        }
        return nil
    }

    /// Gathers lines to the empty one; nil once they are all there and fine.
    private mutating func takeTrailers(_ base: UnsafeRawPointer, _ at: inout Int, _ count: Int) -> Step? {
        // As nearly always: none, and nothing to remember of them.
        if trailerBytes.isEmpty, count - at >= 2, byte(base, at) == Byte.cr, byte(base, at + 1) == Byte.lf {
            at += 2
            state = .finished
            return nil
        }
        while true {
            let start = at
            let lf = first(Byte.lf, base, from: start, to: count)
            at = min(lf + 1, count)
            guard trailerBytes.count + (at - start) <= limits.trailers else {
                return .invalid(HTTPProblem(431, "a trailer section of more than \(limits.trailers) bytes"))
            }
            trailerBytes.append(contentsOf: UnsafeRawBufferPointer(start: base + start, count: at - start))
            guard lf < count else { return .needMore }
            let length = trailerBytes.count - lineLength
            guard length >= 2, trailerBytes[trailerBytes.count - 2] == Byte.cr else { return .invalid(.bareLF) }
            if length == 2 {
                if let problem = checkTrailers() { return .invalid(problem) }
                state = .finished
                return nil
            }
            lineLength = trailerBytes.count
        }
    }

    private mutating func checkTrailers() -> HTTPProblem? {
        // The last line is empty: nothing to check, nothing to keep.
        if trailerBytes.count == 2 {
            trailerBytes = []
            return nil
        }
        return trailerBytes.withUnsafeBytes { buffer -> HTTPProblem? in
            guard let base = buffer.baseAddress else { return nil }
            // As in a request: strict line ends.
            var section = FieldSection(isRequest: true)
            var start = 0
            while true {
                switch section.takeLine(base, at: start, count: buffer.count) {
                case .field(let next):
                    if section.fields.last?.kind.mayBeTrailer == true {
                        trailers.append(contentsOf: buffer[start..<next])
                    }
                    start = next
                case .end: return nil
                case .incomplete: return HTTPProblem(400, "a malformed trailer line")
                case .bad(let problem): return problem
                }
            }
        }
    }
}

extension HeaderField.Kind {
    fileprivate var mayBeTrailer: Bool { self == .other || self == .via }
}

extension HTTPProblem {
    fileprivate static let malformedSize = HTTPProblem(400, "a malformed chunk size")
}

func hexDigit(_ c: UInt8) -> UInt8? {
    switch c {
    case 0x30...0x39: c - 0x30
    case 0x41...0x46: c - 0x41 + 10
    case 0x61...0x66: c - 0x61 + 10
    default: nil
    }
}
