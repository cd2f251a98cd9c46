import HTTP

// What a request is told by, found in place: bytes of the head are compared and hashed where they lie.

/// A header by name, or the same in what carries marks from service to service.
public struct HeaderMark: Sendable, Equatable {
    /// In lower case.
    let name: [UInt8]

    public init(_ name: String) { self.name = lowercased(name[...]) }

    static let authorization = HeaderMark("authorization")
    static let cookie = HeaderMark("cookie")

    func has(
        _ value: [UInt8], in fields: [HeaderField], of bytes: UnsafeRawBufferPointer, _ carriers: [Route.Carrier]
    ) -> Bool {
        search(fields, bytes, carriers) { $0.elementsEqual(value) }
    }

    /// Whether a carrier has it with that value.
    func isCarried(
        _ value: [UInt8], by carrier: Route.Carrier, in fields: [HeaderField], of bytes: UnsafeRawBufferPointer
    ) -> Bool {
        fields.contains { search($0, bytes, carrier) { $0.elementsEqual(value) } }
    }

    /// Of the first value.
    func hash(
        in fields: [HeaderField], of bytes: UnsafeRawBufferPointer, _ carriers: [Route.Carrier]
    ) -> UInt64? {
        var result: UInt64?
        _ = search(fields, bytes, carriers) {
            result = clientHash(of: $0)
            return true
        }
        return result
    }

    /// Shows `body` each value that there is until it says true.
    private func search(
        _ fields: [HeaderField], _ bytes: UnsafeRawBufferPointer, _ carriers: [Route.Carrier],
        _ body: (MarkValue) -> Bool
    ) -> Bool {
        for field in fields {
            if same(name, bytes, field.name), body(MarkValue(bytes, field.value, isEncoded: false)) { return true }
            for carrier in carriers where search(field, bytes, carrier, body) { return true }
        }
        return false
    }

    /// The same of one line, as far as a carrier may stand there.
    private func search(
        _ field: HeaderField, _ bytes: UnsafeRawBufferPointer, _ carrier: Route.Carrier, _ body: (MarkValue) -> Bool
    ) -> Bool {
        guard carrier.isPrefix else {
            return same(carrier.name, bytes, field.name) && searchList(bytes, field.value, body)
        }
        let border = field.name.lowerBound + carrier.name.count
        return border < field.name.upperBound && same(carrier.name, bytes, field.name.lowerBound..<border)
            && same(name, bytes, border..<field.name.upperBound)
            && body(MarkValue(bytes, field.value, isEncoded: true))
    }

    /// Goes through `name=value;property, …` (W3C Baggage §3.2.1).
    private func searchList(
        _ bytes: UnsafeRawBufferPointer, _ list: Range<Int>, _ body: (MarkValue) -> Bool
    ) -> Bool {
        var members = Members(bytes, list, separator: UInt8(ascii: ","))
        while let member = members.next() {
            var end = member.lowerBound
            while end < member.upperBound, bytes[end] != UInt8(ascii: ";") { end += 1 }
            let pair = NameAndValue(bytes, member.lowerBound..<end)
            if let pair, same(name, bytes, pair.name), body(MarkValue(bytes, pair.value, isEncoded: true)) {
                return true
            }
        }
        return false
    }
}

/// A cookie by name.
public struct CookieMark: Sendable, Equatable {
    let name: [UInt8]

    public init(_ name: String) { self.name = Array(name.utf8) }

    func has(_ value: [UInt8], in fields: [HeaderField], of bytes: UnsafeRawBufferPointer) -> Bool {
        search(fields, bytes) { $0.elementsEqual(value) }
    }

    /// Of the first value.
    func hash(in fields: [HeaderField], of bytes: UnsafeRawBufferPointer) -> UInt64? {
        var result: UInt64?
        _ = search(fields, bytes) {
            result = clientHash(of: $0)
            return true
        }
        return result
    }

    /// Goes through `a=b; c=d` (RFC 6265 §4.2.1) of each `Cookie` line.
    private func search(
        _ fields: [HeaderField], _ bytes: UnsafeRawBufferPointer, _ body: (MarkValue) -> Bool
    ) -> Bool {
        for field in fields where same(HeaderMark.cookie.name, bytes, field.name) {
            var pairs = Members(bytes, field.value, separator: UInt8(ascii: ";"))
            while let range = pairs.next() {
                if let pair = NameAndValue(bytes, range), bytes[pair.name].elementsEqual(name),
                    body(MarkValue(bytes, pair.value, isEncoded: false))
                {
                    return true
                }
            }
        }
        return false
    }
}

/// The bytes of a value, percent-decoded where they are encoded. A malformed escape stands for itself.
private struct MarkValue: Sequence, IteratorProtocol {
    private let bytes: UnsafeRawBufferPointer
    private var at: Int
    private let end: Int
    private let isEncoded: Bool

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, isEncoded: Bool) {
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
        self.isEncoded = isEncoded
    }

    mutating func next() -> UInt8? {
        guard at < end else { return nil }
        let c = bytes[at]
        if isEncoded, c == UInt8(ascii: "%"), at + 2 < end, let high = digit(bytes[at + 1]),
            let low = digit(bytes[at + 2])
        {
            at += 3
            return high << 4 | low
        }
        at += 1
        return c
    }

    private func digit(_ c: UInt8) -> UInt8? {
        switch c {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): c - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): c - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): c - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// The parts of a list, without the white space around each.
private struct Members {
    private let bytes: UnsafeRawBufferPointer
    private var at: Int
    private let end: Int
    private let separator: UInt8

    init(_ bytes: UnsafeRawBufferPointer, _ list: Range<Int>, separator: UInt8) {
        self.bytes = bytes
        at = list.lowerBound
        end = list.upperBound
        self.separator = separator
    }

    mutating func next() -> Range<Int>? {
        guard at < end else { return nil }
        let start = at
        while at < end, bytes[at] != separator { at += 1 }
        defer { at += 1 }
        return trimmed(bytes, start..<at)
    }
}

/// `name=value`, without the white space around the `=`.
private struct NameAndValue {
    let name: Range<Int>
    let value: Range<Int>

    init?(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        var at = range.lowerBound
        while at < range.upperBound, bytes[at] != UInt8(ascii: "=") { at += 1 }
        guard at < range.upperBound else { return nil }
        name = trimmed(bytes, range.lowerBound..<at)
        value = trimmed(bytes, at + 1..<range.upperBound)
    }
}

private func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
    func isBlank(_ c: UInt8) -> Bool { c == UInt8(ascii: " ") || c == UInt8(ascii: "\t") }
    var low = range.lowerBound
    var high = range.upperBound
    while low < high, isBlank(bytes[low]) { low += 1 }
    while high > low, isBlank(bytes[high - 1]) { high -= 1 }
    return low..<high
}

private func lower(_ c: UInt8) -> UInt8 { c &- 0x41 < 26 ? c | 0x20 : c }

func lowercased(_ name: Substring) -> [UInt8] { name.utf8.map(lower) }

/// Whether the bytes of `range` are `name`, which is in lower case, but for case.
func same(_ name: [UInt8], _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    guard range.count == name.count else { return false }
    for index in 0..<name.count where lower(bytes[range.lowerBound + index]) != name[index] { return false }
    return true
}
