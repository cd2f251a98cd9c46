/// Several services' records as one stream, by `seq`.
///
/// Records are written in the order of `seq`, so a record is next when it has the least number of all heads and every
/// service without a head was seen to have nothing more *after* that record could be read.
final class LogMerge {
    private(set) var cursors: [LogCursor] = []
    private var clock = 0

    func add(_ cursor: LogCursor) { cursors.append(cursor) }

    func tick() -> Int {
        clock += 1
        return clock
    }

    /// Passes on what the stores have, until they have nothing more or `body` returns false.
    /// - Returns: whether there is nothing more for now.
    func drain(_ body: (LogRecord, LogCursor) -> Bool) -> Bool {
        for cursor in cursors { cursor.expectMore() }
        while let (cursor, limit) = next() {
            let window = cursor.loadedAt
            while let record = cursor.head, record.seq < limit, cursor.loadedAt == window {
                let goesOn = body(record, cursor)
                cursor.advance()
                if !goesOn { return false }
            }
        }
        return true
    }

    /// The cursor whose head comes next, and the number up to which it may be read on.
    private func next() -> (LogCursor, limit: Int)? {
        loadEmpty()
        var best: LogCursor?
        var limit = Int.max
        for cursor in cursors {
            guard let seq = cursor.head?.seq else { continue }
            if let least = best?.head?.seq, least <= seq {
                limit = min(limit, seq)
            } else {
                limit = min(limit, best?.head?.seq ?? .max)
                best = cursor
            }
        }
        // Equal numbers can only come from a damaged store; they must not stop the stream.
        return best.map { ($0, max(limit, ($0.head?.seq ?? 0) + 1)) }
    }

    /// Looks at every service without a head again that was last looked at before the newest head was read.
    private func loadEmpty() {
        var isSettled = false
        while !isSettled {
            isSettled = true
            var newest = 1
            for cursor in cursors where cursor.head != nil { newest = max(newest, cursor.loadedAt) }
            for cursor in cursors where cursor.head == nil && cursor.checkedAt < newest {
                cursor.load(tick: tick)
                if cursor.head != nil { isSettled = false }
            }
        }
    }
}
