import Platform

/// Finds a place in a service's segments by bisection: records have a fixed header, and `seq`, line number and time
/// only grow.
struct SegmentSearch {
    let folder: SegmentFolder

    struct Place {
        var segment: Segment
        /// Of the beginning of a record, in bytes.
        var offset: Int
        /// The number of the line before it, where that is known.
        var line: Int?
    }

    /// Bisection ends here; the reader walks the rest.
    private static let step = 64 << 10

    /// A place at or shortly before the first record that fulfils `condition`; nil where there is no segment.
    func find(in segments: [Segment], _ condition: (LogRecord) -> Bool) -> Place? {
        guard var chosen = segments.first else { return nil }
        if let end = endIfPassed(segments[segments.count - 1], condition) { return end }
        // The last segment whose first record does not fulfil it holds the border.
        var low = 1
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if first(of: segments[middle], condition) ?? true {
                high = middle
            } else {
                chosen = segments[middle]
                low = middle + 1
            }
        }
        return Place(segment: chosen, offset: offset(in: chosen, condition))
    }

    /// The number of the first record that begins within the last so many bytes; nil where all do.
    func firstSeq(withinLast bytes: Int, of segments: [Segment]) -> Int? {
        var room = bytes
        for segment in segments.reversed() {
            if segment.size > room {
                guard let file = folder.open(segment) else { return nil }
                return probe(file, from: segment.size - room) { $0.seq }?.found
            }
            room -= segment.size
        }
        return nil
    }

    /// The end of the newest segment, where its last record, and so none, fulfils `condition`: what only waits for new
    /// lines begins there.
    private func endIfPassed(_ segment: Segment, _ condition: (LogRecord) -> Bool) -> Place? {
        guard let file = folder.open(segment), let size = folder.kernel.status(file)?.size else { return nil }
        var isPassed = false
        let tail = Tail(folder.kernel, file, size: size) { isPassed = !condition($0) }
        return isPassed ? Place(segment: segment, offset: tail.wholeBytes, line: tail.newest?.line) : nil
    }

    /// Whether the segment's first record fulfils `condition`; nil where it has none.
    private func first(of segment: Segment, _ condition: (LogRecord) -> Bool) -> Bool? {
        guard let file = folder.open(segment) else { return nil }
        return probe(file, from: 0, condition)?.found
    }

    private func offset(in segment: Segment, _ condition: (LogRecord) -> Bool) -> Int {
        guard let file = folder.open(segment) else { return 0 }
        var low = 0
        var high = folder.kernel.status(file)?.size ?? segment.size
        while high - low > Self.step {
            let middle = low + (high - low) / 2
            if let found = probe(file, from: middle, condition), found.start < high, !found.found {
                low = found.end
            } else {
                high = middle
            }
        }
        return low
    }

    /// The first whole record that begins at or after `offset`, and what `body` makes of it.
    private func probe<T>(_ file: borrowing Descriptor, from offset: Int, _ body: (LogRecord) -> T)
        -> (start: Int, end: Int, found: T)?
    {
        // One byte earlier, so that a record that begins exactly at `offset` is not taken for the rest of another.
        let base = max(0, offset - 1)
        var bytes = [UInt8](repeating: 0, count: 2 * RecordLayout.longest)
        let count: Int = bytes.withUnsafeMutableBytes { buffer in
            guard case .bytes(let count)? = try? folder.kernel.read(file, at: base, into: buffer) else { return 0 }
            return count
        }
        return bytes.withUnsafeBytes { buffer in
            guard let memory = buffer.baseAddress else { return nil }
            var from = 0
            if offset > 0 {
                guard let newline = firstNewline(in: memory, from: 0, to: count) else { return nil }
                from = newline + 1
            }
            while let newline = firstNewline(in: memory, from: from, to: count) {
                if let record = LogRecord(UnsafeRawBufferPointer(rebasing: buffer[from..<newline])) {
                    return (base + from, base + newline + 1, body(record))
                }
                from = newline + 1
            }
            return nil
        }
    }
}
