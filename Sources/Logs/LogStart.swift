/// Where in one service's log a query begins.
struct LogStart {
    private let bounds: LogBounds
    private var firstLine = 0
    private var firstSeq = 0
    private let isByLine: Bool

    init(_ query: LogQuery, _ bounds: LogBounds, _ folder: SegmentFolder) {
        self.bounds = bounds
        isByLine = query.count != nil && query.pattern == nil && query.since == nil && query.afterSeq == nil
        guard let count = query.count else { return }
        if let pattern = query.pattern {
            firstSeq = Self.seqOfMatch(count, from: folder, bounds, LineMatcher(pattern)) ?? .max
        } else {
            firstLine = Self.lastLine(folder, bounds) - count + 1
            // Of a line without end, as a program has it that draws on its terminal, each longest piece counts as one.
            let most = count.multipliedReportingOverflow(by: RecordLayout.longest)
            if query.until == nil, !most.overflow {
                let search = SegmentSearch(folder: folder)
                firstSeq = search.firstSeq(withinLast: most.partialValue, of: folder.segments()) ?? 0
            }
        }
    }

    /// Whether what begins with this record is to be shown with the rest of lines that began before: only where so many
    /// lines were asked for, and the first of them has lost its beginning to a rotation or to its length.
    func showsRest(from first: LogRecord?) -> Bool { isByLine && first.map { !$0.mark.begins } ?? false }

    /// Whether the record is to be shown; once true it stays so, in the order of the log.
    func isReached(by record: LogRecord) -> Bool {
        record.line >= firstLine && record.seq >= firstSeq && bounds.isReached(by: record)
    }

    /// The number of the newest line within the bounds.
    private static func lastLine(_ folder: SegmentFolder, _ bounds: LogBounds) -> Int {
        let merge = LogMerge()
        let cursor = LogCursor(service: 0, folder: folder)
        cursor.seek({ bounds.isPassed(by: $0) }, tick: merge.tick)
        guard let head = cursor.head else { return folder.newest()?.line ?? 0 }
        return head.line - (head.mark.begins ? 1 : 0)
    }

    /// The number of the first record of the `count`th newest line that matches, or of the oldest if there are fewer.
    private static func seqOfMatch(
        _ count: Int, from folder: SegmentFolder, _ bounds: LogBounds, _ matcher: LineMatcher
    ) -> Int? {
        guard count > 0 else { return nil }
        let merge = LogMerge()
        let cursor = LogCursor(service: 0, folder: folder)
        cursor.seek({ bounds.isReached(by: $0) }, tick: merge.tick)
        merge.add(cursor)
        var newest: [Int] = []
        var oldestAt = 0
        func keep(_ line: LogLine) {
            guard matcher.matches(line.text) else { return }
            if newest.count < count {
                newest.append(line.firstSeq)
            } else {
                newest[oldestAt] = line.firstSeq
                oldestAt = (oldestAt + 1) % count
            }
        }
        var assembler = LineAssembler(skipsOrphans: true)
        _ = merge.drain { record, _ in
            guard !bounds.isPassed(by: record) else { return false }
            assembler.add(record, service: 0, keep)
            return true
        }
        assembler.finish(keep)
        return newest.isEmpty ? nil : newest[oldestAt % newest.count]
    }
}
