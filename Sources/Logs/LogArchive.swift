import Platform

/// A line for an error page or for `why`.
public struct RecentLine: Sendable, Equatable {
    public var time: String
    public var stream: LogStream
    /// Without escape sequences, but for colour where that was asked for; bytes that are not UTF-8 are U+FFFD. Of a very
    /// long line only the beginning.
    public var text: String
    /// Whether the line has no end yet, or this is a piece of one that is too long.
    public var isPartial: Bool

    /// Bytes.
    static let longest = 4 << 10
}

/// What can be asked of the stored logs without following them. Reads files; quick enough for a loop.
public enum LogArchive {
    /// The names of the services that have logs in `folder`, sorted.
    ///
    /// - Parameter known: names that are left out, and cost nothing.
    public static func services(in folder: String, besides known: Set<String> = [], kernel: Kernel = .real) -> [String]
    {
        let parts = (try? kernel.list(folder)) ?? []
        return parts.compactMap { part in
            let name = Path.name(ofPart: part)
            return !known.contains(name) && kernel.status(folder + "/" + part)?.kind == .directory ? name : nil
        }
    }

    /// The newest record's number over all services.
    static func newestSeq(in folder: String, kernel: Kernel) -> Int? {
        services(in: folder, kernel: kernel).compactMap {
            SegmentFolder(of: $0, in: folder, kernel: kernel).newest()?.seq
        }.max()
    }

    /// The newest lines of a service, oldest first.
    /// - Parameter instance: nil: of all.
    public static func recent(
        _ service: String, count: Int, streams: Set<LogStream> = Set(LogStream.allCases), instance: Int? = nil,
        colours: Bool = false, in folder: String, kernel: Kernel = .real
    ) -> [RecentLine] {
        let folder = SegmentFolder(of: service, in: folder, kernel: kernel)
        guard count > 0, let newest = folder.newest() else { return [] }
        var lines: [RecentLine] = []
        // Other streams' lines count too while searching: look further back until there are enough or no more.
        var span = count
        while true {
            lines = read(folder, span) { line in
                guard streams.contains(line.stream), line.instance == instance ?? line.instance else { return nil }
                return RecentLine(line, colours: colours)
            }
            if lines.count >= count || span >= newest.line || span >= count * 64 { break }
            span *= 8
        }
        return lines.suffix(count)
    }

    private static func read(_ folder: SegmentFolder, _ count: Int, _ make: (LogLine) -> RecentLine?) -> [RecentLine] {
        let query = LogQuery(folder: folder.path, count: count)
        let start = LogStart(query, LogBounds(query), folder)
        let merge = LogMerge()
        let cursor = LogCursor(service: 0, folder: folder)
        cursor.seek({ start.isReached(by: $0) }, tick: merge.tick)
        merge.add(cursor)
        var assembler = LineAssembler(skipsOrphans: !start.showsRest(from: cursor.head))
        var lines: [RecentLine] = []
        func keep(_ line: LogLine) {
            if let line = make(line) { lines.append(line) }
        }
        _ = merge.drain { record, _ in
            assembler.add(record, service: 0, keep)
            return true
        }
        assembler.finish(keep)
        return lines
    }
}

extension RecentLine {
    init(_ line: LogLine, colours: Bool) {
        let out = OutputBytes(capacity: line.text.count + 16)
        TerminalText(allowsColor: colours).write(line.text, to: out)
        if out.count > Self.longest {
            out.shorten(to: Self.longest)
            out.shorten(to: out.count - incompleteSuffix(out.bytes))
            out.append(colours ? "\u{1B}[0m…" : "…")
        }
        self.init(
            time: String(decoding: milliseconds(line.time), as: UTF8.self) + "Z", stream: line.stream,
            text: String(decoding: out.bytes, as: UTF8.self), isPartial: line.isPartial)
    }
}
