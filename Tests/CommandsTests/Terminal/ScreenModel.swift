/// A small terminal: what is on it after what was written. It knows what `LogScreen` writes, and scrolls.
struct ScreenModel {
    private(set) var columns: Int
    private let rows: Int
    private var lines: [[Character]] = [[]]
    private var row = 0
    private var column = 0
    /// What has left the screen at its top.
    private var scrolled: [String] = []

    init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }

    /// All lines, those that have rolled off included, without what is empty at the end.
    var text: [String] {
        var all = scrolled + lines.map { String($0) }
        while all.last?.isEmpty == true { all.removeLast() }
        return all
    }

    mutating func write(_ bytes: [UInt8]) {
        var rest = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\r": column = 0
            // As a terminal's line discipline sends it (ONLCR).
            case "\n":
                column = 0
                down()
            case "\u{1B}": control(&rest)
            default:
                if column == columns {
                    column = 0
                    down()
                }
                while lines[row].count <= column { lines[row].append(" ") }
                lines[row][column] = Character(scalar)
                column += 1
            }
        }
    }

    private mutating func down() {
        row += 1
        if row == lines.count { lines.append([]) }
        if row == rows {
            scrolled.append(String(lines.removeFirst()))
            row -= 1
        }
    }

    private mutating func control(_ rest: inout ArraySlice<Unicode.Scalar>) {
        precondition(rest.popFirst() == "[", "an escape sequence that is not expected")
        var digits = ""
        while let scalar = rest.popFirst() {
            switch scalar {
            case "0"..."9", ";": digits.unicodeScalars.append(scalar)
            case "J":
                lines[row].removeLast(max(0, lines[row].count - column))
                lines.removeLast(lines.count - row - 1)
                return
            case "K":
                lines[row].removeLast(max(0, lines[row].count - column))
                return
            case "A":
                row = max(0, row - (Int(digits) ?? 1))
                column = min(column, columns - 1)
                return
            case "G":
                column = min((Int(digits) ?? 1) - 1, columns - 1)
                return
            case "m": return
            default: preconditionFailure("CSI \(digits)\(scalar) is not expected")
            }
        }
    }
}
