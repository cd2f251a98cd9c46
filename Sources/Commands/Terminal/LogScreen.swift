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
    /// Columns of the log's unfinished line, were the terminal wide enough; nil where it can't be gone on with.
    private var openWidth: Int? = 0
    private var columns = 80

    /// What takes the line away.
    private static let erasing = Array("\r\u{1B}[J".utf8)

    /// The next bytes of the log.
    mutating func write(_ log: some Collection<UInt8>) -> [UInt8] {
        // The end of a line that was left as it is: what follows begins a new one in any case.
        let isLeft = openWidth == nil && log.first == 0x0A
        let rest = isLeft ? log.dropFirst() : log[...]
        if log.isEmpty || isLeft && rest.isEmpty {
            if isLeft { openWidth = 0 }
            return []
        }
        var bytes = leave()
        bytes += rest
        measure(rest)
        bytes += draw()
        return bytes
    }

    /// Another line stays from now on.
    mutating func show(_ line: String?, columns: Int) -> [UInt8] {
        // A terminal of another width has the unfinished line somewhere else.
        if columns != self.columns, isDrawn, openWidth != 0 { openWidth = nil }
        let isSame = line == self.line && columns == self.columns && isDrawn == (line != nil)
        self.columns = columns
        if isSame { return [] }
        var bytes = isDrawn ? Self.erasing : []
        let wasDrawn = isDrawn
        self.line = line
        guard let line else {
            isDrawn = false
            if openWidth != 0 { openWidth = nil }
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
        guard let openWidth, openWidth % columns != 0 else {
            openWidth = 0
            return Self.erasing
        }
        return Self.erasing + Array("\u{1B}[A\u{1B}[\(openWidth % columns + 1)G".utf8)
    }

    private mutating func draw() -> [UInt8] {
        guard let line else { return [] }
        isDrawn = true
        return Array(((openWidth ?? 0 == 0 ? "" : "\r\n") + line + "\r").utf8)
    }

    /// Follows how far the unfinished line goes. Controls but for colours and tabs are none in a log for a terminal.
    private mutating func measure(_ log: some Collection<UInt8>) {
        var tail: [UInt8] = []
        var isWhole = false
        for byte in log.reversed() {
            if byte == 0x0A {
                isWhole = true
                break
            }
            tail.append(byte)
        }
        var width = isWhole ? 0 : openWidth ?? 0
        var isColour = false
        for character in String(decoding: tail.reversed(), as: UTF8.self) {
            if character == "\u{1B}" {
                isColour = true
            } else if isColour {
                isColour = character != "m"
            } else if character == "\t" {
                width = (width / 8 + 1) * 8
            } else {
                width += DisplayWidth.of(character)
            }
        }
        openWidth = width
    }
}
