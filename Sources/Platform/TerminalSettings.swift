import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How this process's terminal treats what is typed (termios(3)).
public struct TerminalSettings: Sendable {
    private var native: termios

    /// As they are; nil where standard input is no terminal.
    public init?() {
        native = termios()
        guard tcgetattr(STDIN_FILENO, &native) == 0 else { return nil }
    }

    /// Each byte comes as it is typed, ^C and ^Z too; what is written goes out as it is.
    public var raw: TerminalSettings {
        var settings = self
        cfmakeraw(&settings.native)
        return settings
    }

    /// Keys come one by one and are not shown; ^C and its like stay signals.
    public var keys: TerminalSettings {
        var settings = self
        settings.native.c_lflag &= ~tcflag_t(ICANON | ECHO)
        settings.setCharacter(VMIN, 1)
        settings.setCharacter(VTIME, 0)
        return settings
    }

    /// ^Z comes as a key, so that whoever reads it can leave the terminal in order before it stops; so does ^\, which
    /// would leave it no time for that.
    public var stopIsKey: TerminalSettings {
        var settings = self
        settings.setCharacter(VSUSP, disabledCharacter)
        settings.setCharacter(VQUIT, disabledCharacter)
        return settings
    }

    private mutating func setCharacter(_ place: Int32, _ character: UInt8) {
        withUnsafeMutableBytes(of: &native.c_cc) { $0[Int(place)] = character }
    }

    /// Sets them, unless the terminal belongs to another job by now: its settings are not ours to change.
    /// - Returns: whether they are set.
    @discardableResult
    public func apply() -> Bool {
        var settings = native
        return Self.isForeground && tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0
    }

    /// Whether this process is, or was until it left, of the job that the terminal listens to.
    private static var isForeground: Bool {
        guard let job = ThisProcess.formerJob.withLock({ $0 }) else { return tcgetpgrp(STDIN_FILENO) == getpgrp() }
        // The terminal itself tells only those of its session (tcgetpgrp(3)).
        return ProcessTable.entry(job.session)?.terminalGroup == job.group
    }

    /// Forgets what was typed before anybody could know what the keys do.
    public static func discardInput() { tcflush(STDIN_FILENO, TCIFLUSH) }

    // MARK: What is to be put back

    private static let saved = Mutex<TerminalSettings?>(nil)

    /// Remembers the settings as they are, for `restore` here or in a process that is split off later.
    /// - Returns: them; nil where there is no terminal.
    public static func save() -> TerminalSettings? {
        let settings = TerminalSettings()
        saved.withLock { $0 = settings }
        return settings
    }

    /// Puts back what was saved, if anything was.
    /// - Returns: whether there was.
    @discardableResult
    public static func restore() -> Bool { saved.withLock { $0 }?.apply() ?? false }

    /// What tells a terminal to mark what is pasted (xterm's ctlseqs, "bracketed paste mode").
    public static let markingPastes = "\u{1B}[?2004h"
    public static let notMarkingPastes = "\u{1B}[?2004l"

    /// The same for a process whose own part of the screen, the last line, nobody else takes away any more.
    public static func leave() {
        guard restore(), StandardStream.output.waitWritable(timeout: .zero) else { return }
        try? StandardStream.output.write("\r\u{1B}[J" + notMarkingPastes)
    }
}

#if canImport(Glibc)
    /// `_POSIX_VDISABLE`
    private let disabledCharacter: UInt8 = 0
#else
    private let disabledCharacter: UInt8 = 0xFF
#endif
