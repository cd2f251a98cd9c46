import HTTP

/// Where a direction of a connection is within a body (RFC 9112 §6.3).
struct BodyCursor {
    private enum Place {
        case length(UInt64)
        case chunked(ChunkedDecoder)
        case untilClose
        case finished
    }

    private var place: Place
    /// The trailer lines of a chunked body that is finished.
    private(set) var trailers: [UInt8] = []

    init(_ framing: BodyFraming) {
        switch framing {
        case .none: place = .finished
        case .length(let count): place = .length(count)
        case .chunked: place = .chunked(ChunkedDecoder())
        case .untilClose, .tunnel: place = .untilClose
        }
    }

    var isFinished: Bool {
        if case .finished = place { true } else { false }
    }

    /// Whether the end of the connection is the end of the body.
    var endsWithConnection: Bool {
        if case .untilClose = place { true } else { false }
    }

    /// Whether its bytes are payload and nothing else.
    var isPlain: Bool {
        if case .chunked = place { false } else { true }
    }

    /// Moves `at` over what belongs to the body, and hands out the ranges that are payload.
    /// - Returns: false where the chunks are malformed.
    @inline(__always)
    mutating func advance(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int, payload: (Range<Int>) -> Void = { _ in }
    ) -> Bool {
        let start = at
        switch place {
        case .finished: break
        case .untilClose:
            at = bytes.count
            if at > start { payload(start..<at) }
        case .length(let left):
            at += Int(min(left, UInt64(bytes.count - at)))
            if at > start { payload(start..<at) }
            let rest = left - UInt64(at - start)
            place = rest == 0 ? .finished : .length(rest)
        case .chunked(var decoder):
            while true {
                switch decoder.next(bytes, &at) {
                case .payload(let range): payload(range)
                case .needMore:
                    place = .chunked(decoder)
                    return true
                case .finished:
                    trailers = decoder.trailers
                    place = .finished
                    return true
                case .invalid: return false
                }
            }
        }
        return true
    }

    /// Moves `at` over what belongs to the body and writes it, in chunks of its own where `inChunks`: what the other
    /// side said besides payload and trailers ends here.
    /// - Returns: false where the chunks are malformed.
    mutating func copy(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int, to writer: inout HeadWriter, inChunks: Bool
    ) -> Bool {
        guard !isFinished else { return true }
        let isSound = advance(bytes, &at) { range in
            let payload = UnsafeRawBufferPointer(rebasing: bytes[range])
            if inChunks { writer.chunk(payload) } else { writer.append(payload) }
        }
        if isSound, inChunks, isFinished { writer.lastChunk(trailers: trailers) }
        return isSound
    }
}
