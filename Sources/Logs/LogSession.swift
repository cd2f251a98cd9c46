import Platform

/// From the store to bytes: the merge of the services that a query names, in the format asked for. Belongs to one
/// thread; reading never waits, writing is the caller's.
///
///     LogCursor … ─► LogMerge ─► LineAssembler ─► LineMatcher ─► formatter ─► out
///                       └──► LiveText (a terminal that follows) ──────────────►
final class LogSession {
    let query: LogQuery
    let out = OutputBytes()
    private(set) var names: [String] = []
    private let kernel: Kernel
    private let format: LogFormat
    private let isLive: Bool
    private let merge = LogMerge()
    private var bounds: LogBounds
    private var assembler: LineAssembler
    private let matcher: LineMatcher?
    private let text: TextFormatter
    private let live: LiveText
    /// Which services' lines are left out, by the places of their names.
    private var isHidden: [Bool] = []
    private var isShown: (String) -> Bool = { _ in true }
    private var json: JSONLineFormatter

    /// - Parameter follows: lines that come later are to be shown as well.
    init(_ query: LogQuery, _ format: LogFormat, follows: Bool, kernel: Kernel) {
        self.query = query
        self.format = format
        self.kernel = kernel
        isLive = follows && format.kind == .text && format.isTerminal && query.pattern == nil
        bounds = LogBounds(query)
        assembler = LineAssembler(skipsOrphans: query.hasStart)
        matcher = query.pattern.map { LineMatcher($0) }
        let all = format.usesColor ? LogArchive.services(in: query.folder, besides: [], kernel: kernel) : []
        text = TextFormatter(format, names: [], besides: all + query.services)
        live = LiveText(text)
        json = JSONLineFormatter(names: [])
        if !follows { bounds.lastSeq = LogArchive.newestSeq(in: query.folder, kernel: kernel) ?? 0 }
        for service in query.services { add(service) }
        guard query.services.isEmpty || !query.prefixes.isEmpty else { return }
        let known = Set(query.services)
        for service in LogArchive.services(in: query.folder, besides: known, kernel: kernel)
        where query.takesIn(service) { add(service) }
    }

    /// A service's cursor, by the place of its name.
    func cursor(_ service: Int) -> LogCursor { merge.cursors[service] }

    /// Takes a service in, from where the query begins.
    func add(_ name: String) {
        let folder = SegmentFolder(of: name, in: query.folder, kernel: kernel)
        let cursor = LogCursor(service: names.count, folder: folder)
        names.append(name)
        isHidden.append(!isShown(name))
        text.add(name)
        json.add(name)
        if query.hasStart {
            let start = LogStart(query, bounds, folder)
            cursor.seek({ start.isReached(by: $0) }, tick: merge.tick)
            if start.showsRest(from: cursor.head) { assembler.showsRest.insert(cursor.service) }
        }
        merge.add(cursor)
    }

    /// Appends to `out` what the store has, up to about `limit` bytes.
    /// - Returns: whether there is nothing more for now.
    func read(limit: Int) -> Bool {
        merge.drain { record, cursor in
            if cursor.dropped > 0 { sayDropped(cursor, record) }
            if !bounds.isPassed(by: record) { show(record, cursor.service) }
            return out.count < limit
        }
    }

    /// Nothing more will be read: appends the lines that have no end.
    func finish() {
        assembler.finish { write($0) }
        live.closeLine(to: out)
    }

    // MARK: Showing

    /// Leaves the lines of some services out from now on.
    func show(where isShown: @escaping (String) -> Bool) {
        self.isShown = isShown
        isHidden = names.map { !isShown($0) }
    }

    /// Appends lines that are not in the store.
    func say(_ lines: [String]) {
        live.closeLine(to: out)
        for line in lines { out.append(Array((line + "\n").utf8)) }
    }

    private func show(_ record: LogRecord, _ service: Int) {
        if isHidden[service] { return }
        if isLive {
            live.write(record, service: service, to: out)
        } else if format.kind == .raw && matcher == nil {
            guard record.stream != .devmesh else { return }
            out.append(record.payload)
            if record.mark.endsInNewline { out.append(0x0A) }
        } else {
            assembler.add(record, service: service) { write($0) }
        }
    }

    private func write(_ line: LogLine) {
        if let matcher, !matcher.matches(line.text) { return }
        switch format.kind {
        case .text: text.write(line, to: out)
        case .json: json.write(line, to: out)
        case .raw:
            guard line.stream != .devmesh else { return }
            out.append(line.text)
            if line.endsInNewline { out.append(0x0A) }
        }
    }

    /// Says how many lines a rotation took before this reader came to them.
    private func sayDropped(_ cursor: LogCursor, _ next: LogRecord) {
        let count = cursor.dropped
        cursor.dropped = 0
        guard format.kind != .raw else { return }
        live.closeLine(to: out)
        let lines = count == 1 ? "1 line" : "\(count) lines"
        let words = Array("\(lines) dropped: newer output replaced them before they could be shown".utf8)
        words.withUnsafeBytes { bytes in
            let line = LogLine(
                seq: next.seq, firstSeq: next.seq, time: next.time, service: cursor.service, stream: .devmesh,
                instance: 0, text: bytes)
            if format.kind == .json { json.write(line, to: out) } else { text.write(line, to: out) }
        }
    }
}
