// What single header lines mean for framing (RFC 9112 §6) and persistence (§9.3).
extension FieldSection {
    /// Takes note of a line that steers; returns what is wrong with it.
    mutating func note(_ kind: HeaderField.Kind, _ base: UnsafeRawPointer, _ value: Range<Int>) -> HTTPProblem? {
        switch kind {
        case .host: noteHost(base, value)
        case .contentLength: noteContentLength(base, value)
        case .transferEncoding: noteTransferEncoding(base, value)
        case .connection: noteConnection(base, value)
        case .expect:
            noteExpect(base, value)
        default: nil
        }
    }

    private mutating func noteHost(_ base: UnsafeRawPointer, _ value: Range<Int>) -> HTTPProblem? {
        guard isRequest else { return nil }
        hostCount += 1
        guard hostCount == 1 else { return HTTPProblem(400, "more than one Host") }
        host = fields.count
        return isAuthority(base, value) ? nil : HTTPProblem(400, "a Host that is no host name")
    }

    /// Digits only: no sign, no `0x`, no underscore, no list. A request may say it once; a response may repeat it if
    /// the values agree (RFC 9110 §8.6).
    private mutating func noteContentLength(_ base: UnsafeRawPointer, _ value: Range<Int>) -> HTTPProblem? {
        var length: UInt64?
        var problem: HTTPProblem?
        forEachElement(base, value) { element in
            guard let number = decimal(base, element) else {
                problem = HTTPProblem(400, "a Content-Length that is no number of up to 18 digits")
                return
            }
            if let known = length, known != number { problem = .differingLengths }
            if length != nil, isRequest { problem = .repeatedLength }
            length = number
        }
        if let problem { return problem }
        guard let length else { return HTTPProblem(400, "a Content-Length that is no number of up to 18 digits") }
        if let known = contentLength {
            if known != length { return .differingLengths }
            if isRequest { return .repeatedLength }
        }
        contentLength = length
        return nil
    }

    private mutating func noteTransferEncoding(_ base: UnsafeRawPointer, _ value: Range<Int>) -> HTTPProblem? {
        hasTransferEncoding = true
        var problem: HTTPProblem?
        forEachElement(base, value) { element in
            if isChunked {
                problem = HTTPProblem(400, "chunked is not the last transfer coding")
            } else if element.isEmpty {
                problem = HTTPProblem(400, "an empty transfer coding")
            } else if equalsLowercased(base, element, "chunked") {
                isChunked = true
            } else {
                hasOtherCoding = true
            }
        }
        return problem
    }

    private mutating func noteConnection(_ base: UnsafeRawPointer, _ value: Range<Int>) -> HTTPProblem? {
        forEachElement(base, value) { element in
            if equalsLowercased(base, element, "close") {
                saysClose = true
            } else if equalsLowercased(base, element, "keep-alive") {
                saysKeepAlive = true
            } else if equalsLowercased(base, element, "upgrade") {
                saysUpgrade = true
            } else if !element.isEmpty {
                namesHopFields = true
            }
        }
        return nil
    }

    private mutating func noteExpect(_ base: UnsafeRawPointer, _ value: Range<Int>) -> HTTPProblem? {
        if equalsLowercased(base, value, "100-continue") { expectsContinue = true }
        return nil
    }

    /// Whether `Connection` names this field, so that it must not go further (RFC 9110 §7.6.1).
    ///
    /// What steers it can't take away: a body without its length would be taken for the next message.
    public func connectionNames(_ field: HeaderField, in buffer: UnsafeRawBufferPointer) -> Bool {
        guard namesHopFields, field.kind == .other, let base = buffer.baseAddress else { return false }
        var found = false
        for line in fields where line.kind == .connection {
            forEachElement(base, line.value) { element in
                if !found { found = equalsIgnoringCase(base, element, field.name) }
            }
        }
        return found
    }
}

extension HTTPProblem {
    static let differingLengths = HTTPProblem(400, "more than one Content-Length, and they differ")
    static let repeatedLength = HTTPProblem(400, "more than one Content-Length")
}

/// Calls `body` with each element of a comma-separated list, trimmed; empty ones included.
@inline(__always)
func forEachElement(_ base: UnsafeRawPointer, _ value: Range<Int>, _ body: (Range<Int>) -> Void) {
    var start = value.lowerBound
    while true {
        let end = first(Byte.comma, base, from: start, to: value.upperBound)
        body(trimmed(base, start, end))
        guard end < value.upperBound else { return }
        start = end + 1
    }
}

/// A decimal number of 1 to 18 digits, which always fits an `Int64`.
func decimal(_ base: UnsafeRawPointer, _ range: Range<Int>) -> UInt64? {
    guard !range.isEmpty, range.count <= 18 else { return nil }
    var number: UInt64 = 0
    for at in range {
        let c = byte(base, at)
        guard isDigit(c) else { return nil }
        number = number * 10 + UInt64(c - 0x30)
    }
    return number
}

/// Compares two names in one buffer without case.
func equalsIgnoringCase(_ base: UnsafeRawPointer, _ a: Range<Int>, _ b: Range<Int>) -> Bool {
    guard a.count == b.count else { return false }
    for index in 0..<a.count {
        let x = byte(base, a.lowerBound + index)
        let y = byte(base, b.lowerBound + index)
        if x == y { continue }
        guard x ^ y == 0x20, (x | 0x20) &- 0x61 < 26 else { return false }
    }
    return true
}

/// Whether these are bytes of `host[:port]` (RFC 3986 §3.2.2); empty is allowed, user information is not.
func isAuthority(_ base: UnsafeRawPointer, _ range: Range<Int>) -> Bool {
    for at in range {
        switch byte(base, at) {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39: continue
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "%"): continue
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"): continue
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "+"), UInt8(ascii: ";"), UInt8(ascii: "="): continue
        case UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"): continue
        default: return false
        }
    }
    return true
}
