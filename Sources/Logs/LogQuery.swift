import Platform

/// Which lines to print.
public struct LogQuery: Sendable, Equatable {
    /// The folder with a folder of segments for each service.
    public var folder: String
    /// In the order of the columns; empty: every service that has logs.
    public var services: [String]
    /// Besides `services`: what begins with one of these, in the order of the names; also what comes later.
    public var prefixes: [String] = []
    /// `-n`: the newest so many lines of each service; of those that match, with `pattern`.
    public var count: Int?
    public var since: WallTime?
    public var until: WallTime?
    public var pattern: LogPattern?
    /// Only records after this number: what is new to `up`.
    public var afterSeq: Int?

    public init(
        folder: String, services: [String] = [], count: Int? = nil, since: WallTime? = nil, until: WallTime? = nil,
        pattern: LogPattern? = nil, afterSeq: Int? = nil
    ) {
        self.folder = folder
        self.services = services
        self.count = count
        self.since = since
        self.until = until
        self.pattern = pattern
        self.afterSeq = afterSeq
    }

    /// Whether it asks for a service that it does not name, as far as `services` and `prefixes` tell.
    func takesIn(_ service: String) -> Bool { services.isEmpty || prefixes.contains { service.hasPrefix($0) } }

    /// Whether reading begins somewhere in the store rather than at its oldest line.
    var hasStart: Bool { count != nil || since != nil || afterSeq != nil }
}

/// A query's bounds as a reader compares them: times as text, since RFC 3339 of one width sorts as time does.
struct LogBounds {
    private var since: [UInt8]?
    private var until: [UInt8]?
    private let afterSeq: Int
    /// Nothing beyond this number: what was stored when a reader began that does not follow.
    var lastSeq = Int.max

    init(_ query: LogQuery) {
        since = query.since.map(Self.text)
        until = query.until.map(Self.text)
        afterSeq = query.afterSeq ?? 0
    }

    func isReached(by record: LogRecord) -> Bool {
        record.seq > afterSeq && (since.map { !isBefore(record.time, $0) } ?? true)
    }

    func isPassed(by record: LogRecord) -> Bool {
        record.seq > lastSeq || (until.map { isBefore($0, record.time) } ?? false)
    }

    private static func text(_ time: WallTime) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: RecordLayout.timeBytes) { buffer, count in
            if let base = buffer.baseAddress { time.write(to: UnsafeMutableRawPointer(base)) }
            count = RecordLayout.timeBytes
        }
    }

    private func isBefore(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> Bool {
        left.lexicographicallyPrecedes(right)
    }
}
