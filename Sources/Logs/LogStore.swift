import Platform

/// Writes one service's records to its segments; belongs to the log loop.
///
///     begin ─► append … append ─► endBatch        one write(2) a batch
///                                    │
///         00000000000001.log  …  00000000009001.log   the oldest goes when all would exceed `limit`
///
/// A write that fails stops nothing: what could not be written is kept up to one batch, further lines are counted as
/// lost, each batch and each `retry` tries again, and when there is room a record says how many are missing.
final class LogStore {
    let folder: SegmentFolder
    /// Bytes of all segments together.
    var limit: Int
    private let kernel: Kernel
    private let encoder: RecordEncoder
    /// The number of the newest line.
    private(set) var line: Int
    /// Of the newest record there was when the store was opened; 0 if there was none.
    let seqAtOpening: Int
    /// Oldest first; the last one is being written.
    private var segments: [Segment]
    private var file: Descriptor?
    private var outage: Outage?
    /// Told when an outage begins.
    private let onOutage: (Errno) -> Void
    /// When it was last looked whether the file is still where it was made, in microseconds.
    private var lookedAt: Int64 = 0

    /// Writing fails, or did until a moment ago.
    struct Outage {
        var error: Errno
        /// Lines that are not in the store.
        var lost = 0
        /// What comes first once writing works: the rest of a batch.
        var unwritten: [UInt8] = []
        var isOver = false
    }

    /// Opens the service's folder, mending what a crash has left torn. Never fails: what can't be made is an outage.
    init(
        folder path: String, limit: Int, encoder: RecordEncoder, kernel: Kernel,
        onOutage: @escaping (Errno) -> Void = { _ in }
    ) {
        folder = SegmentFolder(path: path, kernel: kernel)
        self.limit = limit
        self.encoder = encoder
        self.kernel = kernel
        self.onOutage = onOutage
        segments = folder.segments()
        if segments.isEmpty { try? kernel.makeDirectory(path) }
        var newest: (seq: Int, line: Int)?
        if let last = segments.popLast() {
            let mended = folder.mended(last)
            segments.append(mended.segment)
            newest = mended.newest
        }
        (seqAtOpening, line) = newest ?? folder.newest(of: segments) ?? (0, 0)
    }

    /// The present trouble; nil while all is well.
    var failure: Errno? { outage.flatMap { $0.isOver ? nil : $0.error } }

    /// Bytes of the newest segment.
    var newestSize: Int { segments.last?.size ?? 0 }

    private var segmentSize: Int { max(limit / 16, RecordLayout.longest) }

    /// Begins a run of lines that were read together.
    func begin(_ stream: LogStream, instance: Int, time: WallTime) {
        if abs(time.microseconds - lookedAt) > Self.lookEvery {
            lookedAt = time.microseconds
            closeIfDeleted()
        }
        encoder.begin(line: line, time: time, stream: stream, instance: instance)
    }

    /// Adds a line or a piece of one, at most `LineSplitter.longest` bytes.
    @inline(__always)
    func append(_ bytes: UnsafeRawBufferPointer, _ mark: LineMark) {
        if !encoder.hasRoom(for: bytes.count, limit: min(RecordEncoder.capacity, segmentSize)) { flush() }
        encoder.append(bytes, mark)
    }

    /// Writes what was added since `begin`.
    func endBatch() {
        flush()
        guard let outage, outage.isOver else { return }
        self.outage = nil
        guard outage.lost > 0 else { return }
        let lines = outage.lost == 1 ? "1 line is" : "\(outage.lost) lines are"
        note("\(lines) missing here: the log could not be written (\(outage.error))")
    }

    /// Writes a line of devmesh's own.
    func note(_ text: String, time: WallTime = .now) {
        begin(.devmesh, instance: 0, time: time)
        for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let bytes = Array(part.utf8.prefix(LineSplitter.longest))
            bytes.withUnsafeBytes { append($0, .whole) }
        }
        endBatch()
    }

    /// Tries again to write what could not be written.
    func retry() {
        guard failure != nil, writeUnwritten() else { return }
        outage?.isOver = true
        endBatch()
    }

    /// Gives the file back; the next batch opens it again.
    func close() {
        file = nil
    }

    private static let lookEvery: Int64 = 1_000_000

    /// Someone may delete the logs of a running mesh: what comes next then goes to a new file.
    private func closeIfDeleted() {
        guard file != nil, let last = segments.last else { return }
        let named = kernel.status(folder.path(of: last))
        if named == nil || named?.inode != kernel.status(file!)?.inode {
            file = nil
            segments = []
        }
    }

    // MARK: Writing

    private func flush() {
        guard !encoder.isEmpty else { return }
        if writeUnwritten() {
            roll()
            write(encoder.bytes)
            line = encoder.line
        } else {
            // Their numbers are given again: a gap in `line` is for rotation alone to make.
            outage?.lost += encoder.count
        }
        encoder.clear()
    }

    /// Whether nothing from before is left to write.
    private func writeUnwritten() -> Bool {
        guard let outage, !outage.isOver, !outage.unwritten.isEmpty else { return true }
        self.outage?.unwritten = []
        outage.unwritten.withUnsafeBytes { write($0) }
        return self.outage?.unwritten.isEmpty ?? true
    }

    /// Writes all of `bytes`, or remembers the rest in `outage`.
    private func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        do throws(Errno) {
            try openFile()
            while !rest.isEmpty {
                // A file never blocks; a write of nothing is tried again by the outage.
                guard case .bytes(let count) = try kernel.write(file!, rest), count > 0 else { throw .noSpace }
                segments[segments.count - 1].size += count
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            outage?.isOver = true
        } catch {
            let isNew = failure == nil
            var outage = self.outage ?? Outage(error: error)
            outage.error = error
            outage.isOver = false
            outage.unwritten = Array(rest)
            self.outage = outage
            if isNew { onOutage(error) }
        }
    }

    private func openFile() throws(Errno) {
        if file != nil { return }
        // Someone may have deleted it since it was seen; a name that was read must not come again with other content.
        if let last = segments.last, kernel.status(folder.path(of: last)) == nil { segments = folder.segments() }
        if segments.isEmpty { segments.append(Segment(firstSeq: max(encoder.firstSeq, 1), size: 0)) }
        let path = folder.path(of: segments[segments.count - 1])
        file = try kernel.makingFolder(folder.path) { () throws(Errno) in
            try kernel.open(path, .append, permissions: 0o600)
        }
    }

    /// Begins a new segment when the current one is full, and removes the oldest ones.
    private func roll() {
        guard let last = segments.last, last.size >= segmentSize, encoder.firstSeq > last.firstSeq else { return }
        let fresh = Segment(firstSeq: encoder.firstSeq, size: 0)
        // Where it can't be made (no descriptor left), the old one simply grows on.
        do throws(Errno) {
            file = try kernel.open(folder.path(of: fresh), .append, permissions: 0o600)
        } catch { return }
        segments.append(fresh)
        var total = segments.reduce(0) { $0 + $1.size } + segmentSize
        while total > limit && segments.count > 1 {
            let oldest = segments.removeFirst()
            total -= oldest.size
            try? kernel.remove(folder.path(of: oldest))
        }
    }
}

extension SegmentFolder {
    /// Ends the record that a crash cut off in the newest segment, so that its bytes are kept; what is no record is
    /// taken away. Returns the segment as it is then, and the numbers of its newest record where they are known.
    func mended(_ segment: Segment) -> (segment: Segment, newest: (seq: Int, line: Int)?) {
        guard segment.size > 0, let file = try? kernel.open(path(of: segment), .readWrite) else {
            return (segment, nil)
        }
        let tail = Tail(kernel, file, size: segment.size)
        guard !tail.torn.isEmpty else { return (segment, tail.newest) }
        let mark: LineMark? = tail.torn.withUnsafeBytes { bytes in
            guard let record = LogRecord(bytes) else { return nil }
            return record.mark.begins ? .cut : .lastCut
        }
        if let mark {
            let markAt = tail.wholeBytes + RecordLayout.markAt
            let isMarked = [mark.rawValue].withUnsafeBytes { write(file, $0, at: markAt) }
            if isMarked { _ = [0x0A as UInt8].withUnsafeBytes { write(file, $0, at: segment.size) } }
        } else {
            try? kernel.truncate(file, to: tail.wholeBytes)
        }
        return (Segment(firstSeq: segment.firstSeq, size: kernel.status(file)?.size ?? segment.size), nil)
    }

    private func write(_ file: borrowing Descriptor, _ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard (try? kernel.seek(file, to: offset)) != nil else { return false }
        return (try? kernel.writeAll(file, bytes)) != nil
    }
}
