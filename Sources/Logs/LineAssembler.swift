/// Joins the pieces of lines, source by source; pieces of a line over `LineSplitter.longest` stay pieces.
struct LineAssembler {
    typealias Emit = (LogLine) -> Void

    /// Continuations whose beginning was not seen are left out (a reader that starts in the middle), or shown.
    var skipsOrphans: Bool
    /// Services of which they are shown none the less.
    var showsRest: Set<Int> = []

    private var open: [Source: Chain] = [:]

    private struct Source: Hashable {
        var service: Int
        var stream: LogStream
        var instance: Int
    }

    private struct Chain {
        var bytes: [UInt8] = []
        var seq = 0
        var firstSeq = 0
        var time: [UInt8] = []
        /// A piece of the line has been passed on already.
        var isSplit = false
        var isSkipped = false
    }

    init(skipsOrphans: Bool = false) {
        self.skipsOrphans = skipsOrphans
    }

    /// Takes the next record of a service; passes on what is complete.
    mutating func add(_ record: LogRecord, service: Int, _ emit: Emit) {
        if record.mark == .whole && open.isEmpty {
            return emit(LogLine(record, service: service))
        }
        let source = Source(service: service, stream: record.stream, instance: record.instance)
        if record.mark.begins {
            if let chain = open.removeValue(forKey: source) { flush(chain, source, emit) }
            if !record.mark.hasMore { return emit(LogLine(record, service: service)) }
        }
        var chain = open.removeValue(forKey: source) ?? orphan(record, service)
        if chain.bytes.count + record.payload.count > LineSplitter.longest {
            flush(chain, source, emit)
            chain.bytes.removeAll()
            chain.isSplit = true
        }
        chain.bytes.append(contentsOf: record.payload)
        chain.seq = record.seq
        chain.time = Array(record.time)
        if record.mark.hasMore {
            // A piece this long was cut for its length: there is no use in waiting for more of it.
            if record.payload.count > LineSplitter.longest - LineSplitter.slack {
                flush(chain, source, emit)
                chain.bytes.removeAll()
                chain.isSplit = true
            }
            open[source] = chain
        } else if !(chain.isSplit && chain.bytes.isEmpty) {
            pass(chain, source, isPartial: chain.isSplit, endsInNewline: record.mark.endsInNewline, emit)
        }
    }

    /// Nothing more will come: passes on the lines that have no end yet.
    mutating func finish(_ emit: Emit) {
        for (source, chain) in open.sorted(by: { $0.value.seq < $1.value.seq }) { flush(chain, source, emit) }
        open.removeAll()
    }

    private func orphan(_ record: LogRecord, _ service: Int) -> Chain {
        var chain = Chain()
        chain.firstSeq = record.seq
        chain.isSplit = !record.mark.begins
        chain.isSkipped = chain.isSplit && skipsOrphans && !showsRest.contains(service)
        return chain
    }

    private func flush(_ chain: Chain, _ source: Source, _ emit: Emit) {
        if !chain.bytes.isEmpty { pass(chain, source, isPartial: true, endsInNewline: false, emit) }
    }

    private func pass(_ chain: Chain, _ source: Source, isPartial: Bool, endsInNewline: Bool, _ emit: Emit) {
        guard !chain.isSkipped else { return }
        chain.time.withUnsafeBytes { time in
            chain.bytes.withUnsafeBytes { text in
                emit(
                    LogLine(
                        seq: chain.seq, firstSeq: chain.firstSeq, time: time, service: source.service,
                        stream: source.stream, instance: source.instance, text: text, isPartial: isPartial,
                        endsInNewline: endsInNewline))
            }
        }
    }
}

extension LogLine {
    /// A record that is a line by itself, or is to be shown as it is.
    init(_ record: LogRecord, service: Int) {
        self.init(
            seq: record.seq, firstSeq: record.seq, time: record.time, service: service, stream: record.stream,
            instance: record.instance, text: record.payload, isPartial: false, endsInNewline: record.mark.endsInNewline)
    }
}
