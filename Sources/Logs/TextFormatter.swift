/// Writes lines for people: `reader   | listening on 8080`.
///
/// The bar tells the stream apart: `|` is the program's output (red on a terminal for stderr), `#` the build's, `*` a
/// word from devmesh. An instance is named once a service has shown a second one.
final class TextFormatter {
    private let format: LogFormat
    private let terminal: TerminalText
    private var names: [String]
    private var palette: Palette
    private var hasSeveral: [Bool]
    private var width = 0
    private var prefixes: [[Prefix]]

    private struct Prefix {
        var stream: LogStream
        var instance: Int
        var bytes: [UInt8]
    }

    /// Longer names are not padded to: one long name should not push everybody's text to the right.
    private static let widest = 24

    /// - Parameter all: the names of services that are shown elsewhere, whose colours are not for others.
    init(_ format: LogFormat, names: [String], besides all: [String] = []) {
        self.format = format
        terminal = TerminalText(allowsColor: format.usesColor)
        self.names = names
        palette = Palette(Array(Set(names + all)))
        hasSeveral = Array(repeating: false, count: names.count)
        prefixes = Array(repeating: [], count: names.count)
        measure()
    }

    /// A service that came later; it gets the next number.
    func add(_ name: String) {
        names.append(name)
        hasSeveral.append(false)
        prefixes.append([])
        measure()
    }

    /// Appends the whole line with its newline.
    func write(_ line: LogLine, to out: OutputBytes) {
        writePrefix(line, to: out)
        var color: [UInt8] = []
        writeText(line.text, to: out, color: &color)
        out.append(0x0A)
    }

    /// Appends what comes before the text.
    func writePrefix(_ line: LogLine, to out: OutputBytes) {
        if format.showsTimes {
            if format.usesColor { out.append("\u{1B}[2m" as StaticString) }
            out.append(milliseconds(line.time))
            out.append(0x5A)
            if format.usesColor { out.append("\u{1B}[0m" as StaticString) }
            out.append(0x20)
        }
        guard format.showsPrefix else { return }
        if line.instance > 1 && !hasSeveral[line.service] {
            hasSeveral[line.service] = true
            measure()
        }
        for prefix in prefixes[line.service] where prefix.stream == line.stream && prefix.instance == line.instance {
            out.append(prefix.bytes)
            return
        }
        let fresh = Prefix(stream: line.stream, instance: line.instance, bytes: prefix(of: line))
        prefixes[line.service].append(fresh)
        out.append(fresh.bytes)
    }

    /// Appends the text alone, made harmless on a terminal (`TerminalText.write`).
    func writeText(_ text: UnsafeRawBufferPointer, to out: OutputBytes, color: inout [UInt8]) {
        if format.isTerminal { terminal.write(text, to: out, color: &color) } else { out.append(text) }
    }

    private func label(_ service: Int, _ instance: Int) -> String {
        hasSeveral[service] && instance > 0 ? "\(names[service]).\(instance)" : names[service]
    }

    /// Widens the column where needed, and forgets the prefixes made for the old width.
    private func measure() {
        for service in names.indices {
            let length = names[service].utf8.count + (hasSeveral[service] ? 2 : 0)
            if length <= Self.widest { width = max(width, length) }
            prefixes[service].removeAll()
        }
    }

    private func prefix(of line: LogLine) -> [UInt8] {
        let name = label(line.service, line.instance)
        let padding = String(repeating: " ", count: max(0, width - name.utf8.count))
        let bar =
            switch line.stream {
            case .stdout, .stderr: "|"
            case .build: "#"
            case .devmesh: "*"
            }
        guard format.usesColor else { return Array("\(name)\(padding) \(bar) ".utf8) }
        let paint = "\u{1B}[38;5;\(palette.color(of: names[line.service]))m"
        let barPaint = line.stream == .stderr ? "\u{1B}[31m" : line.stream == .devmesh ? "\u{1B}[1m" : ""
        return Array("\(paint)\(name)\(padding) \(barPaint)\(bar)\u{1B}[0m ".utf8)
    }
}

/// The first 23 of the 27 bytes of a record's time: up to the milliseconds.
@inline(__always)
func milliseconds(_ time: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: time[..<23])
}
