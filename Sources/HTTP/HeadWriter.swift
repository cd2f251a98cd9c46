/// Writes heads and chunks into memory of its own, which grows as needed.
///
/// Strings are checked: what would let a value break out of its line is refused. Ranges that a parser of this room
/// found are copied as they are, since it has checked them.
public struct HeadWriter: ~Copyable {
    /// Owned; the first `count` of its bytes are written.
    private var memory: UnsafeMutableRawBufferPointer
    /// How many bytes are written.
    public private(set) var count = 0

    public init(reserving capacity: Int = 512) {
        memory = .allocate(byteCount: max(capacity, 64), alignment: 16)
    }

    deinit { memory.deallocate() }

    /// What is written, copied.
    public var bytes: [UInt8] { withBytes { Array($0) } }

    /// What is written, for the length of the call.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Begins anew in the same memory.
    public mutating func clear() { count = 0 }

    /// Takes the last bytes back.
    public mutating func removeLast(_ number: Int) {
        precondition(number <= count)
        count -= number
    }

    /// Bytes that the caller answers for.
    public mutating func append(_ more: UnsafeRawBufferPointer) {
        guard let start = more.baseAddress else { return }
        append(start, more.count)
    }

    /// The same.
    public mutating func append(_ more: some Sequence<UInt8>) {
        let isDone: Void? = more.withContiguousStorageIfAvailable { append(UnsafeRawBufferPointer($0)) }
        if isDone == nil { for byte in more { append(byte) } }
    }

    public mutating func request(method: String, target: String) throws(HTTPProblem) {
        guard isToken(method) else { throw HTTPProblem(400, "a method that is no token: \(quoted(method))") }
        guard isTarget(target) else {
            throw HTTPProblem(400, "a request target with a space or control byte: \(quoted(target))")
        }
        append(method.utf8)
        append(Byte.space)
        append(target.utf8)
        append(" HTTP/1.1\r\n")
    }

    /// The request line of a parsed head, with its own target.
    public mutating func request(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) {
        request(head, in: buffer, target: head.target)
    }

    /// The request line of a parsed head with another target, whose bytes the caller answers for.
    public mutating func request(
        _ head: RequestHead, in buffer: UnsafeRawBufferPointer, base: String = "", target: Range<Int>
    ) {
        append(buffer, head.methodRange)
        append(Byte.space)
        if !base.isEmpty { append(base.utf8) }
        append(buffer, target)
        append(" HTTP/1.1\r\n")
    }

    public mutating func response(status: Int, reason: String? = nil) throws(HTTPProblem) {
        let phrase = reason ?? reasonPhrase(status)
        guard (100...999).contains(status) else { throw HTTPProblem(500, "a status of \(status)") }
        guard isFieldValue(phrase) else {
            throw HTTPProblem(500, "a reason phrase with CR, LF or NUL: \(quoted(phrase))")
        }
        append("HTTP/1.1 ")
        append(String(status).utf8)
        append(Byte.space)
        append(phrase.utf8)
        append("\r\n")
    }

    /// The status line of a parsed head, as HTTP/1.1.
    public mutating func response(_ head: ResponseHead, in buffer: UnsafeRawBufferPointer) {
        append("HTTP/1.1 ")
        var divisor = 100
        while divisor > 0 {
            append(UInt8(0x30 + head.status / divisor % 10))
            divisor /= 10
        }
        append(Byte.space)
        append(buffer, head.reason)
        append("\r\n")
    }

    /// A header line. CR, LF, NUL and other control bytes in the value are refused, and names that are no token.
    public mutating func field(_ name: String, _ value: String) throws(HTTPProblem) {
        guard isToken(name) else { throw HTTPProblem(400, "a header name that is no token: \(quoted(name))") }
        guard isFieldValue(value) else {
            throw HTTPProblem(400, "a value of \(name) with CR, LF, NUL or another control byte")
        }
        append(name.utf8)
        append(": ")
        append(value.utf8)
        append("\r\n")
    }

    /// All lines but those called `except`.
    public mutating func fields(_ headers: HTTPHeaders, except: String? = nil) throws(HTTPProblem) {
        for line in headers.lines {
            if let except, HTTPHeaders.same(line.name, except) { continue }
            try field(line.name, line.value)
        }
    }

    /// A parsed header line, copied.
    public mutating func copy(_ field: HeaderField, from buffer: UnsafeRawBufferPointer) {
        let (name, value) = (field.name, field.value)
        let end = value.upperBound
        if value.lowerBound == name.upperBound + 2, buffer[name.upperBound + 1] == Byte.space, end + 1 < buffer.count,
            buffer[end] == Byte.cr, buffer[end + 1] == Byte.lf
        {
            // It lies there as it would be written.
            return append(buffer, name.lowerBound..<end + 2)
        }
        append(buffer, name)
        append(": ")
        append(buffer, value)
        append("\r\n")
    }

    /// A header line whose value lies in the buffer, checked by a parser.
    public mutating func field(_ name: StaticString, from buffer: UnsafeRawBufferPointer, _ value: Range<Int>) {
        append(name)
        append(": ")
        append(buffer, value)
        append("\r\n")
    }

    /// The length of the body that follows, in bytes.
    public mutating func contentLength(_ length: UInt64) {
        append("Content-Length: ")
        var divisor: UInt64 = 1
        while length / divisor > 9 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(0x30 + length / divisor % 10))
            divisor /= 10
        }
        append("\r\n")
    }

    /// Header lines written by the programmer, each with its line end.
    public mutating func lines(_ text: StaticString) { append(text) }

    /// The empty line behind the head.
    public mutating func end() {
        append("\r\n")
    }

    /// One chunk (RFC 9112 §7.1); nothing for an empty payload, which would end the body.
    public mutating func chunk(_ payload: [UInt8]) { payload.withUnsafeBytes { chunk($0) } }

    /// The same from raw memory, with no allocation but the buffer's own.
    public mutating func chunk(_ payload: UnsafeRawBufferPointer) {
        guard !payload.isEmpty else { return }
        let digits = (Int.bitWidth - payload.count.leadingZeroBitCount + 3) / 4
        for digit in (0..<digits).reversed() {
            let value = UInt8(truncatingIfNeeded: payload.count >> (digit * 4)) & 15
            append(value < 10 ? 0x30 + value : 0x57 + value)
        }
        append("\r\n")
        append(payload)
        append("\r\n")
    }

    /// The last chunk, with trailer lines as `ChunkedDecoder.trailers` has them.
    public mutating func lastChunk(trailers: [UInt8] = []) {
        append("0\r\n")
        append(trailers)
        append("\r\n")
    }

    // MARK: Memory

    @inline(__always)
    private mutating func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

    @inline(__always)
    private mutating func append(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) {
        append(UnsafeRawBufferPointer(rebasing: buffer[range]))
    }

    @inline(__always)
    private mutating func append(_ byte: UInt8) {
        reserve(1)
        memory[count] = byte
        count &+= 1
    }

    @inline(__always)
    private mutating func append(_ start: UnsafeRawPointer, _ length: Int) {
        reserve(length)
        // There is room for `length` bytes behind the first `count`, and memory has a base, being never empty.
        (memory.baseAddress! + count).copyMemory(from: start, byteCount: length)
        count &+= length
    }

    @inline(__always)
    private mutating func reserve(_ more: Int) { if memory.count - count < more { grow(by: more) } }

    @inline(never)
    private mutating func grow(by more: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(memory.count * 2, count + more), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }
}

/// Whether `text` may stand as a method or header name.
public func isToken(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(isTokenByte)
}

/// Whether `text` may stand as a header's value: no CR, LF, NUL or other control byte but HTAB.
public func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { ($0 >= 0x20 || $0 == Byte.tab) && $0 != Byte.delete }
}

/// Whether `text` may stand as a request target.
func isTarget(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != Byte.delete }
}

/// The text with control characters made visible, for error messages.
private func quoted(_ text: String) -> String {
    "\"" + text.unicodeScalars.prefix(40).map { $0.value < 0x20 ? "\\u{\($0.value)}" : String($0) }.joined() + "\""
}
