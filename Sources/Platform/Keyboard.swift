#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The keyboard of the terminal at standard input: each key comes as it is pressed, and none is shown (termios(3)).
/// ^C and its like stay signals.
public final class Keyboard: Sendable {
    private let before: termios

    /// Nil where standard input is no terminal. Call `restore` in the end.
    public init?() {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return nil }
        before = mode
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &mode)
    }

    /// The terminal becomes as it was.
    public func restore() { withUnsafePointer(to: before) { _ = tcsetattr(STDIN_FILENO, TCSANOW, $0) } }

    /// Waits for a key; for threads that may wait.
    /// - Returns: nil when `limit` has passed first, or no key will ever come.
    public func key(within limit: Duration) -> UInt8? {
        guard waitReadable(STDIN_FILENO, timeout: limit) else { return nil }
        var byte: UInt8 = 0
        return read(STDIN_FILENO, &byte, 1) == 1 ? byte : nil
    }
}
