/// Bytes for a terminal on which lines of a log roll by above one line that stays. Pure.
///
///     log line
///     unfinished log li          the next bytes of the log go on here
///     the line that stays        the cursor waits at its beginning
///
/// Whatever is written takes the line away and puts it back in the same bytes, so that nothing is seen of that. The
/// line has no place of its own on the screen: should nobody be left to take it away, it is the last line.
struct LogScreen {
    /// What stays, narrower than the terminal; nil: nothing, as when the terminal is left.
    private(set) var line: String?
    private var isDrawn = false
    /// Where the log's unfinished line goes on; nil where it can't be gone on with.
    private var open: Place? = Place()
    private var columns = 80

    /// What takes the line away.
    private static let erasing = Array("\r\u{1B}[J".utf8)

    /// Behind an unfinished line, on a terminal of so many columns.
    private struct Place {
        /// As many as the terminal has where the row is full: the next character comes in the next row.
        var column = 0
        var isFirstRow = true

        mutating func pass(_ character: Character, columns: Int) {
            if character == "\t" {
                column = min((column / 8 + 1) * 8, columns - 1)
                return
            }
            let width = DisplayWidth.of(character)
            if column + width > columns {
                column = 0
                isFirstRow = false
            }
            column += width
        }
    }

    /// The next bytes of the log.
    mutating func write(_ log: some Collection<UInt8>) -> [UInt8] {
        // The end of a line that was left as it is, or fills its row: what follows is in a new one in any case.
        let isLeft = (open == nil || isDrawn && open?.column == columns) && log.first == 0x0A
        let rest = isLeft ? log.dropFirst() : log[...]
        if isLeft { open = Place() }
        if rest.isEmpty { return [] }
        var bytes = leave()
        bytes += follow(rest)
        bytes += draw()
        return bytes
    }

    /// Another line stays from now on.
    mutating func show(_ line: String?, columns: Int) -> [UInt8] {
        // A terminal of another width has the unfinished line somewhere else.
        if columns != self.columns, isDrawn, open?.column != 0 { open = nil }
        let isSame = line == self.line && columns == self.columns && isDrawn == (line != nil)
        self.columns = columns
        if isSame { return [] }
        var bytes = isDrawn ? Self.erasing : []
        let wasDrawn = isDrawn
        self.line = line
        guard let line else {
            isDrawn = false
            if open?.column != 0 { open = nil }
            return bytes
        }
        bytes += wasDrawn ? Array((line + "\r").utf8) : draw()
        isDrawn = true
        return bytes
    }

    /// From the line that stays to where the log goes on.
    private mutating func leave() -> [UInt8] {
        guard isDrawn else { return [] }
        isDrawn = false
        guard let place = open, (1..<columns).contains(place.column) else {
            // A row that is full is passed: the line goes on in the next.
            open = Place(isFirstRow: open?.column != columns)
            return Self.erasing
        }
        return Self.erasing + Array("\u{1B}[A\u{1B}[\(place.column + 1)G".utf8)
    }

    private mutating func draw() -> [UInt8] {
        guard let line else { return [] }
        isDrawn = true
        return Array(((open?.column ?? 0 == 0 ? "" : "\r\n") + line + "\r").utf8)
    }

    /// Follows how far the unfinished line goes. Controls but for colours, tabs and `LiveText.beginningAnew` are none in
    /// a log for a terminal.
    /// - Returns: the bytes to write: a line that begins anew behind a first row that stays gets one of its own.
    private mutating func follow(_ log: some Collection<UInt8>) -> [UInt8] {
        let all = Array(log)
        let begin = (all.lastIndex(of: 0x0A) ?? -1) + 1
        var bytes = Array(all[..<begin])
        var place = begin == 0 ? open ?? Place() : Place()
        for (number, part) in all[begin...].split(separator: 0x0D, omittingEmptySubsequences: false).enumerated() {
            if number > 0 {
                bytes.append(place.isFirstRow ? 0x0D : 0x0A)
                place = Place()
            }
            bytes += part
            var isControl = false
            for character in String(decoding: part, as: UTF8.self) {
                if character == "\u{1B}" {
                    isControl = true
                } else if isControl {
                    isControl = !character.isLetter
                } else {
                    place.pass(character, columns: columns)
                }
            }
        }
        open = place
        return bytes
    }
}
