/// A table for people: columns padded to their widest cell and fitted to the terminal, so that no line wraps.
struct Table {
    struct Column {
        var title: String
        var alignment: Alignment = .left
        /// Which goes first when the terminal is narrow: the highest; nil stays whatever happens.
        var dropRank: Int?
    }

    enum Alignment { case left, right }

    struct Cell {
        var text: String
        var style = Style.plain

        init(_ text: String, _ style: Style = .plain) {
            self.text = text
            self.style = style
        }
    }

    var columns: [Column]
    var rows: [[Cell]]

    private static let gap = 2

    /// The lines, header first, without trailing blanks.
    ///
    /// - Parameter width: Columns of the terminal; nil where nothing limits them.
    func lines(width: Int?, colours: Bool) -> [String] {
        let widths = fitted(to: width)
        let header = columns.map { Cell($0.title, .dim) }
        return ([header] + rows).map { line($0, widths, colours: colours) }
    }

    /// Each column's width; nil for one that was dropped. A column with nothing in it is dropped at once.
    private func fitted(to limit: Int?) -> [Int?] {
        var widths: [Int?] = columns.indices.map { index in
            let widest = rows.map { DisplayWidth.of($0[index].text) }.max() ?? 0
            return widest == 0 && !rows.isEmpty ? nil : max(widest, DisplayWidth.of(columns[index].title))
        }
        guard let limit else { return widths }
        // The last column may be cut to this much before a whole column is given up.
        let last = widths.lastIndex { $0 != nil } ?? 0
        while total(widths, cutting: last) > limit, let victim = victim(widths) { widths[victim] = nil }
        var excess = total(widths) - limit
        for index in widths.indices.reversed() where excess > 0 {
            guard let width = widths[index] else { continue }
            let cut = min(excess, max(0, width - 1))
            widths[index] = width - cut
            excess -= cut
        }
        return widths
    }

    private static let leastOfLast = 12

    private func total(_ widths: [Int?], cutting last: Int? = nil) -> Int {
        let shown = widths.indices.compactMap { index in
            widths[index].map { index == last ? min($0, Table.leastOfLast) : $0 }
        }
        return shown.reduce(0, +) + max(0, shown.count - 1) * Table.gap
    }

    private func victim(_ widths: [Int?]) -> Int? {
        columns.indices
            .filter { widths[$0] != nil && columns[$0].dropRank != nil }
            .max { (columns[$0].dropRank ?? 0) < (columns[$1].dropRank ?? 0) }
    }

    private func line(_ cells: [Cell], _ widths: [Int?], colours: Bool) -> String {
        var line = ""
        var pending = 0
        for (index, cell) in cells.enumerated() {
            guard let width = widths[index] else { continue }
            let text = DisplayWidth.truncate(cell.text, to: width)
            let padding = width - DisplayWidth.of(text)
            if columns[index].alignment == .right { pending += padding }
            if !text.isEmpty {
                line += String(repeating: " ", count: pending) + cell.style.apply(to: text, colours: colours)
                pending = 0
            }
            pending += Table.gap + (columns[index].alignment == .left ? padding : 0)
        }
        return line
    }
}
