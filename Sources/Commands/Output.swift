import Platform

/// Standard output or standard error, and what its reader is like.
final class Output: Sendable {
    /// Whether a person reads it.
    let isTerminal: Bool
    /// Columns of that terminal.
    let width: Int?
    /// Whether colours are wanted: on a terminal, and never with `NO_COLOR` (no-color.org).
    let colours: Bool
    private let sink: @Sendable (String) throws(Errno) -> Void

    init(_ stream: StandardStream, environment: [String: String]) {
        isTerminal = stream.isTerminal
        width = isTerminal ? Output.columns(stream, environment) : nil
        colours = isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        sink = { text throws(Errno) in try stream.write(text) }
    }

    /// An output for tests.
    init(isTerminal: Bool, width: Int?, colours: Bool, sink: @escaping @Sendable (String) throws(Errno) -> Void) {
        self.isTerminal = isTerminal
        self.width = width
        self.colours = colours
        self.sink = sink
    }

    /// Writes `text` as it is.
    ///
    /// - Throws: `readerGone` on a pipe closed early; `failed` where the disk is full or the like.
    func write(_ text: String) throws(CommandFailure) {
        do {
            try sink(text)
        } catch .brokenPipe {
            throw .readerGone
        } catch {
            throw .failed(Sentences.cannotWrite(error))
        }
    }

    func line(_ text: String) throws(CommandFailure) { try write(text + "\n") }

    /// A line after ^C, which the terminal has shown at the beginning of the line that it is on.
    func lineAfterInterrupt(_ text: String) throws(CommandFailure) { try line(isTerminal ? "\n" + text : text) }

    func lines(_ lines: [String]) throws(CommandFailure) {
        if !lines.isEmpty { try write(lines.joined(separator: "\n") + "\n") }
    }

    /// Shows a table, fitted to the terminal.
    func show(_ table: Table) throws(CommandFailure) { try lines(table.lines(width: width, colours: colours)) }

    private static func columns(_ stream: StandardStream, _ environment: [String: String]) -> Int? {
        stream.terminalSize?.columns ?? environment["COLUMNS"].flatMap { Int($0) } ?? 80
    }
}
