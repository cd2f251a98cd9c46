import EventLoop
import Logs
import Platform

/// The terminal of `up`: logs, below them the line with states and keys. Belongs to the printer's loop, so that one
/// thread writes to the terminal and nothing is torn.
///
///     keys, states, window ──► StatusLine ──► LogScreen ──► terminal
///     log lines ──────────────────────────────────┘
final class UpTerminal: LogSink {
    private let loop: EventLoop
    private let output: Output
    private let settings: TerminalSettings
    private let onCommand: (StatusLine.Command) -> Void
    private var status = StatusLine()
    private var screen = LogScreen()
    private var typed = TypedKeys()
    private var life = Life.away
    private var signals: SignalWatch?
    private var keyboard: Registration?

    private enum Life {
        /// The terminal is ours.
        case here
        /// It belongs to another job: log lines are written as they are, as any program's.
        case away
        case closed
    }

    /// - Parameters:
    ///   - settings: what the terminal is to be put back to.
    ///   - onCommand: called on the loop.
    init(
        on loop: EventLoop, _ output: Output, _ settings: TerminalSettings,
        onCommand: @escaping (StatusLine.Command) -> Void
    ) {
        self.loop = loop
        self.output = output
        self.settings = settings
        self.onCommand = onCommand
        signals = try? SignalWatch([.windowSize, .terminalStop, .continue], on: loop) { [weak self] arrival in
            switch arrival.signal {
            case .terminalStop: self?.suspend()
            case .continue: self?.arrive()
            default: self?.resize()
            }
        }
        arrive()
    }

    /// How the services stand now.
    func update(_ services: [StatusLine.Service]) {
        status.services = services
        draw()
    }

    // MARK: The log

    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        // Nobody tells when a job that went on in the background gets its terminal back.
        if case .away = life { arrive() }
        try put(screen.write(bytes))
    }

    func close() {
        leave()
        life = .closed
        signals?.close()
        signals = nil
    }

    // MARK: Coming and going

    private func arrive() {
        guard case .away = life, settings.keys.stopIsKey.apply() else { return }
        life = .here
        typed = TypedKeys()
        TerminalSettings.discardInput()
        try? put(Array(TerminalSettings.markingPastes.utf8))
        onCommand(.say([]))
        keyboard = try? loop.watch(StandardStream.input.rawValue, KeyReader { [weak self] in self?.read() })
        draw()
    }

    private func leave() {
        guard case .here = life else { return }
        keyboard?.cancel()
        keyboard = nil
        try? put(screen.show(nil, columns: columns) + TerminalSettings.notMarkingPastes.utf8)
        settings.apply()
        life = .away
        // What comes meanwhile has a line of its own.
        onCommand(.say([]))
    }

    private func suspend() {
        leave()
        ThisProcess.stopJob()
    }

    // MARK: Keys

    private func read() {
        while case .here = life {
            switch try? StandardStream.input.readNow(into: loop.scratch) {
            case .bytes(let count)?: for key in typed.keys(in: Array(loop.scratch[..<count])) { press(key) }
            case .wouldBlock?: return keyboard?.rearm(.readable) ?? ()
            case .endOfFile?, nil:
                keyboard?.cancel()
                keyboard = nil
                return
            }
        }
    }

    private func press(_ key: TerminalKey) {
        let command = status.press(key)
        draw()
        if command == .suspend { suspend() } else if let command { onCommand(command) }
    }

    // MARK: The line

    private func resize() {
        draw()
        // Where an unfinished line is now, nobody knows.
        onCommand(.say([]))
    }

    private var columns: Int { StandardStream.output.terminalSize?.columns ?? TerminalSize.standard.columns }

    private func draw() {
        guard case .here = life else { return }
        let columns = columns
        // The last column stays free: what stands there would wrap on some terminals.
        let text = status.text(width: columns - 1, colours: output.colours)
        try? put(screen.show(text, columns: columns))
    }

    private func put(_ bytes: [UInt8]) throws(Errno) {
        try bytes.span.bytes.withUnsafeBytes { all throws(Errno) in try StandardStream.output.write(all) }
    }
}

/// Keeps the loop from keeping the terminal alive.
private final class KeyReader: ReadinessHandler {
    private let onReady: () -> Void

    init(_ onReady: @escaping () -> Void) { self.onReady = onReady }

    func ready(_ readiness: Readiness) { onReady() }
}
