import Platform

/// Reads one service's records in order, across segments, also while they are being written.
///
/// `head` is the record at hand. `advance` goes on within the window; `load` fetches more from the file. The file at
/// hand stays open, so that a rotation can't take away what has been begun.
final class LogCursor {
    /// The place of the service in the reader's list.
    let service: Int
    let folder: SegmentFolder
    /// Points into the window: valid until `advance`, `load` or `seek`.
    private(set) var head: LogRecord?
    /// Ticks of the merge: when the window was filled, and when the file was last found to have nothing more.
    private(set) var loadedAt = 0
    private(set) var checkedAt = 0
    /// Lines that a rotation took before they could be read; the reader says so and sets it to 0.
    var dropped = 0
    /// The folder may have a segment after the one at hand.
    var mayHaveSuccessor = true
    private(set) var segment: Segment?

    private var file: Descriptor?
    /// Where in the file the window ends.
    private var offset = 0
    /// What has been read and not been passed; `nil` while it is empty and nothing is to be expected soon.
    private var window: UnsafeMutableRawBufferPointer?
    private var start = 0
    private var end = 0
    /// The bytes up to the next newline belong to something that is too long to be a record.
    private var isResyncing = false
    private var lastLine = 0
    private var isAfterGap = false
    /// The folder had no segment when it was first looked at: all lines from the first one on should come.
    private var wasEmpty = false
    private var hasNewFolder = false

    /// Twice the longest record.
    static let windowSize = 2 * RecordLayout.longest

    init(service: Int, folder: SegmentFolder) {
        self.service = service
        self.folder = folder
    }

    deinit { window?.deallocate() }

    /// Passes on to the next record in the window; `head` is nil where it has none.
    @inline(__always)
    func advance() {
        head = nil
        guard let base = window?.baseAddress else { return }
        while let newline = firstNewline(in: base, from: start, to: end) {
            let bytes = UnsafeRawBufferPointer(start: base + start, count: newline - start)
            start = newline + 1
            // What does not parse was torn by a crash: it is passed over.
            if isResyncing {
                isResyncing = false
            } else if let record = LogRecord(bytes) {
                if isAfterGap { countDropped(record) }
                lastLine = record.line
                head = record
                return
            }
        }
        checkedAt = 0
    }

    /// The folder was deleted with all that was in it: what comes next begins anew.
    func startAnew() {
        hasNewFolder = true
        mayHaveSuccessor = true
    }

    /// The store may have more than when it was last looked at.
    func expectMore() { checkedAt = 0 }

    /// Fetches more where `head` is nil; afterwards it is nil only if the store has nothing more for now.
    func load(tick: () -> Int) {
        while head == nil {
            let now = tick()
            if fill() {
                loadedAt = now
                advance()
            } else if !openSuccessor(now) {
                checkedAt = now
                release()
                return
            }
        }
    }

    /// Moves on to the first record that fulfils `condition`, which once fulfilled stays so.
    func seek(_ condition: (LogRecord) -> Bool, tick: () -> Int) {
        let segments = folder.segments()
        guard let place = SegmentSearch(folder: folder).find(in: segments, condition) else { return }
        open(place.segment, at: place.offset)
        if let line = place.line { lastLine = line }
        while true {
            load(tick: tick)
            guard let head, !condition(head) else { return }
            advance()
        }
    }

    // MARK: Files

    /// Reads more of the file at hand behind what is left in the window; false at its end.
    private func fill() -> Bool {
        guard file != nil else { return false }
        // Most are looked at in vain: no memory for those.
        if window == nil, let size = folder.kernel.status(file!)?.size, size <= offset { return false }
        let window = self.window ?? allocate()
        if start > 0 {
            let rest = end - start
            if rest > 0 { window.baseAddress?.copyMemory(from: window.baseAddress! + start, byteCount: rest) }
            (start, end) = (0, rest)
        }
        if end == window.count {
            isResyncing = true
            end = 0
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: window[end...])
        guard case .bytes(let count)? = try? folder.kernel.read(file!, at: offset, into: room) else { return false }
        offset += count
        end += count
        return true
    }

    /// Opens the segment after the one at hand, if there is one and the one at hand is read to its end.
    private func openSuccessor(_ now: Int) -> Bool {
        guard mayHaveSuccessor else { return false }
        mayHaveSuccessor = false
        let least = hasNewFolder ? 0 : (segment?.firstSeq ?? -1) + 1
        let following = folder.segments().first { $0.firstSeq >= least }
        guard let following else {
            wasEmpty = wasEmpty || segment == nil
            return false
        }
        mayHaveSuccessor = true
        // The writer finishes a segment before it makes the next: what came since the last read is there now.
        if fill() {
            loadedAt = now
            advance()
            return true
        }
        return open(following, at: 0)
    }

    @discardableResult
    private func open(_ segment: Segment, at offset: Int) -> Bool {
        do throws(Errno) {
            file = try folder.kernel.open(folder.path(of: segment), .read)
        } catch {
            // Rotated away between listing and opening: the listing is made again.
            return error == .noEntry
        }
        if hasNewFolder { lastLine = 0 }
        isAfterGap = self.segment == nil ? wasEmpty : lastLine > 0
        hasNewFolder = false
        self.segment = segment
        self.offset = offset
        (start, end) = (0, 0)
        isResyncing = false
        return true
    }

    private func countDropped(_ record: LogRecord) {
        isAfterGap = false
        dropped += max(0, record.line - lastLine - (record.mark.begins ? 1 : 0))
    }

    private func allocate() -> UnsafeMutableRawBufferPointer {
        let fresh = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.windowSize, alignment: 16)
        window = fresh
        return fresh
    }

    /// Gives the window back while there is nothing in it.
    private func release() {
        guard start == end else { return }
        window?.deallocate()
        window = nil
        (start, end) = (0, 0)
    }
}
