import Platform

/// A line for an error page or for `why`.
public struct RecentLine: Sendable, Equatable {
    public var time: String
    public var stream: LogStream
    /// Without escape sequences; bytes that are not UTF-8 are U+FFFD.
    public var text: String
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
    public static func recent(
        _ service: String, count: Int, streams: Set<LogStream> = Set(LogStream.allCases), in folder: String,
        kernel: Kernel = .real
    ) -> [RecentLine] {
        let folder = SegmentFolder(of: service, in: folder, kernel: kernel)
        guard count > 0, let newest = folder.newest() else { return [] }
        var lines: [RecentLine] = []
        // Other streams' lines count too while searching: look further back until there are enough or no more.
        var span = count
        while true {
            lines = read(folder, from: newest.line - span + 1, streams)
            if lines.count >= count || span >= newest.line || span >= count * 64 { break }
            span *= 8
        }
        return lines.suffix(count)
    }

    private static func read(_ folder: SegmentFolder, from line: Int, _ streams: Set<LogStream>) -> [RecentLine] {
        let merge = LogMerge()
        let cursor = LogCursor(service: 0, folder: folder)
        cursor.seek({ $0.line >= line }, tick: merge.tick)
        merge.add(cursor)
        var assembler = LineAssembler(skipsOrphans: true)
        var lines: [RecentLine] = []
        func keep(_ line: LogLine) {
            guard streams.contains(line.stream) else { return }
            lines.append(RecentLine(line))
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
    init(_ line: LogLine) {
        let out = OutputBytes(capacity: line.text.count + 16)
        TerminalText(allowsColor: false).write(line.text, to: out)
        self.init(
            time: String(decoding: milliseconds(line.time), as: UTF8.self) + "Z", stream: line.stream,
            text: String(decoding: out.bytes, as: UTF8.self))
    }
}
