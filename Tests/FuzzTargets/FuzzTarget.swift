import HTTP

/// What is fuzzed, and what must hold whatever the bytes: no trap, nothing out of bounds, the same however they are cut,
/// and what is written anew reads the same. `.ci/fuzz` drives them, and a test runs what it has found.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case requestHead = "request-head"
    case responseHead = "response-head"
    case chunkedDecoder = "chunked-decoder"
    case sniffer

    /// What doesn't hold for these bytes; nil if all does.
    public func violation(in bytes: UnsafeRawBufferPointer) -> String? {
        switch self {
        case .requestHead: requestViolation(bytes)
        case .responseHead: responseViolation(bytes)
        case .chunkedDecoder: chunksViolation(bytes)
        case .sniffer: snifferViolation(bytes)
        }
    }
}

/// Where to cut: chosen by the bytes themselves, so that any file can be a seed as it is.
private func cuts(_ bytes: UnsafeRawBufferPointer) -> [Int] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let count = UInt64(bytes.count + 1)
    return [Int(hash % count), Int((hash >> 32) % count)].sorted()
}

private func prefix(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[..<count])
}

// MARK: Heads

private func requestViolation(_ bytes: UnsafeRawBufferPointer) -> String? {
    var whole = RequestHead()
    let result = whole.parse(bytes)
    var pieces = RequestHead()
    let inPieces = parsed(bytes) { pieces.parse($0) }
    guard inPieces == result else { return "in pieces \(inPieces), whole \(result)" }
    guard case .complete(let length) = result else { return nil }
    if let violation = boundsViolation([whole.methodRange, whole.target], whole.fields, length, bytes.count) {
        return violation
    }
    var writer = HeadWriter()
    writer.request(whole, in: bytes)
    for field in whole.fields { writer.copy(field, from: bytes) }
    // HTTP/1.0 needs none, and knows no upgrade; what is written is HTTP/1.1.
    if whole.host == nil { writer.lines("Host: x\r\n") }
    writer.end()
    return writer.withBytes { again in
        var copy = RequestHead()
        guard case .complete(let all) = copy.parse(again), all == again.count else { return "the copy can't be read" }
        let isSame =
            copy.method == whole.method && copy.framing == whole.framing && copy.target.count == whole.target.count
            && copy.fields.count == whole.fields.count + (whole.host == nil ? 1 : 0)
            && (copy.asksUpgrade == whole.asksUpgrade || whole.minorVersion == 0)
        return isSame ? nil : "the copy reads otherwise"
    }
}

private func responseViolation(_ bytes: UnsafeRawBufferPointer) -> String? {
    var whole = ResponseHead()
    let result = whole.parse(bytes)
    var pieces = ResponseHead()
    let inPieces = parsed(bytes) { pieces.parse($0) }
    guard inPieces == result else { return "in pieces \(inPieces), whole \(result)" }
    guard case .complete(let length) = result else { return nil }
    if let violation = boundsViolation([whole.reason], whole.fields, length, bytes.count) { return violation }
    var writer = HeadWriter()
    writer.response(whole, in: bytes)
    for field in whole.fields { writer.copy(field, from: bytes) }
    writer.end()
    return writer.withBytes { again in
        var copy = ResponseHead()
        guard case .complete(let all) = copy.parse(again), all == again.count else { return "the copy can't be read" }
        let isSame =
            copy.status == whole.status && copy.fields.count == whole.fields.count
            && [HTTPMethod.get, .head, .connect].allSatisfy {
                copy.framing(answering: $0) == whole.framing(answering: $0)
            }
        return isSame ? nil : "the copy reads otherwise"
    }
}

/// Parses as bytes come; what the first look has decided stays.
private func parsed(_ bytes: UnsafeRawBufferPointer, _ parse: (UnsafeRawBufferPointer) -> HeadResult) -> HeadResult {
    for cut in cuts(bytes) {
        let result = parse(prefix(bytes, cut))
        if result != .needMore { return result }
    }
    return parse(bytes)
}

private func boundsViolation(_ ranges: [Range<Int>], _ fields: [HeaderField], _ length: Int, _ count: Int) -> String? {
    guard length <= count else { return "a head of \(length) bytes in \(count)" }
    for range in ranges + fields.map(\.name) + fields.map(\.value)
    where range.lowerBound < 0 || range.upperBound > length { return "\(range) lies outside of \(length) bytes" }
    return nil
}

// MARK: Chunks

private struct Decoded: Equatable {
    var payload: [UInt8] = []
    var trailers: [UInt8] = []
    var end: ChunkedDecoder.Step = .needMore
    /// How many bytes were read, where that says something.
    var consumed = 0
}

private func decoded(_ bytes: UnsafeRawBufferPointer, cuts: [Int]) -> Decoded {
    var decoder = ChunkedDecoder()
    var result = Decoded()
    for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
        let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        var at = 0
        step: while true {
            result.end = decoder.next(piece, &at)
            switch result.end {
            case .payload(let range): result.payload += piece[range]
            case .needMore: break step
            case .finished:
                result.trailers = decoder.trailers
                result.consumed = start + at
                return result
            case .invalid: return result
            }
        }
    }
    return result
}

private func chunksViolation(_ bytes: UnsafeRawBufferPointer) -> String? {
    let whole = decoded(bytes, cuts: [])
    let pieces = decoded(bytes, cuts: cuts(bytes))
    guard whole == pieces else { return "in pieces \(pieces), whole \(whole)" }
    guard whole.end == .finished else { return nil }
    var writer = HeadWriter()
    writer.chunk(whole.payload)
    writer.lastChunk(trailers: whole.trailers)
    let again = writer.withBytes { decoded($0, cuts: []) }
    let isSame = again.payload == whole.payload && again.trailers == whole.trailers && again.end == .finished
    return isSame ? nil : "written anew \(again), before \(whole)"
}

// MARK: Sniffing

private func snifferViolation(_ bytes: UnsafeRawBufferPointer) -> String? {
    var decided: Sniffer.Verdict?
    for count in 0...min(bytes.count, 64) {
        let verdict = Sniffer.look(prefix(bytes, count))
        if let decided, verdict != decided { return "\(decided) becomes \(verdict) with \(count) bytes" }
        if verdict != .needMore { decided = verdict }
    }
    if let decided, Sniffer.look(bytes) != decided { return "\(decided) does not stay" }
    return nil
}
