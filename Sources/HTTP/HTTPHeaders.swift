/// Header lines as values, in order, repeats kept; names compare without case. For control code, not for relays.
public struct HTTPHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public struct Line: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var lines: [Line]

    public init(_ lines: [Line] = []) {
        self.lines = lines
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        lines = elements.map { Line($0.0, $0.1) }
    }

    /// Copies the lines that a parser found in `buffer`. Bytes that are not UTF-8 become U+FFFD.
    public init(_ fields: [HeaderField], in buffer: UnsafeRawBufferPointer) {
        lines = fields.map {
            Line(String(decoding: buffer[$0.name], as: UTF8.self), String(decoding: buffer[$0.value], as: UTF8.self))
        }
    }

    /// The first value under that name.
    public subscript(name: String) -> String? {
        lines.first { Self.same($0.name, name) }?.value
    }

    public func values(_ name: String) -> [String] {
        lines.filter { Self.same($0.name, name) }.map(\.value)
    }

    public mutating func add(_ name: String, _ value: String) {
        lines.append(Line(name, value))
    }

    /// Replaces every line of that name by one at the end.
    public mutating func set(_ name: String, _ value: String) {
        remove(name)
        add(name, value)
    }

    public mutating func remove(_ name: String) {
        lines.removeAll { Self.same($0.name, name) }
    }

    /// Whether two header names are the same.
    static func same(_ a: String, _ b: String) -> Bool {
        guard a.utf8.count == b.utf8.count else { return false }
        return a.utf8.elementsEqual(b.utf8) { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ c: UInt8) -> UInt8 { c &- 0x41 < 26 ? c | 0x20 : c }
}
