import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Columns and rows of a terminal's window.
public struct TerminalSize: Sendable, Hashable {
    public var columns: Int
    public var rows: Int

    public init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }

    /// Where no window says otherwise.
    public static let standard = TerminalSize(columns: 80, rows: 24)

    /// Of the terminal that this process was started in; nil where it has none.
    public static var ofThisProcess: TerminalSize? {
        StandardStream.output.terminalSize ?? StandardStream.error.terminalSize ?? StandardStream.input.terminalSize
    }

    fileprivate var native: winsize {
        winsize(ws_row: UInt16(clamping: rows), ws_col: UInt16(clamping: columns), ws_xpixel: 0, ws_ypixel: 0)
    }
}

/// The two sides of a pseudo-terminal (pty(7)), both close-on-exec: ours, and the one that is a terminal to programs.
@frozen public struct PseudoTerminal: ~Copyable {
    public var ours: Descriptor
    public var programs: Descriptor

    init(ours: consuming Descriptor, programs: consuming Descriptor) {
        self.ours = ours
        self.programs = programs
    }
}

extension Kernel {
    /// Makes a terminal of this size, with the system's usual settings, in which a backspace takes away a whole
    /// UTF-8 character. It does not become this process's own.
    public func pseudoTerminal(_ size: TerminalSize) throws(Errno) -> PseudoTerminal {
        _ = try limit(.pipe)
        var sides: [Int32] = [0, 0]
        _ = try checked(cp_pseudo_terminal(&sides))
        let terminal = PseudoTerminal(ours: Descriptor(owning: sides[0]), programs: Descriptor(owning: sides[1]))
        setTerminalSize(terminal.ours, size)
        return terminal
    }

    /// Tells a terminal how large its window is; where that is new, its foreground programs get SIGWINCH.
    public func setTerminalSize(_ terminal: borrowing Descriptor, _ size: TerminalSize) {
        var native = size.native
        _ = ioctl(terminal.raw, UInt(TIOCSWINSZ), &native)
    }
}

extension StandardStream {
    /// How large the window of the terminal behind it is; nil where there is none.
    public var terminalSize: TerminalSize? {
        var size = winsize()
        guard ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }
}
