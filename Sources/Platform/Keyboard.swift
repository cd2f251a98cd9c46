#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The keyboard of the terminal at standard input: each key comes as it is pressed, and none is shown (termios(3)).
/// ^C and its like stay signals.
public final class Keyboard: Sendable {
    private let before: TerminalSettings

    /// Nil where standard input is no terminal. Call `restore` in the end.
    public init?() {
        guard let settings = TerminalSettings() else { return nil }
        before = settings
        take()
    }

    /// Makes the terminal so again: after ^Z and `fg` it is as the shell had it.
    public func take() { before.keys.apply() }

    /// The terminal becomes as it was.
    public func restore() { before.apply() }

    /// Waits for a key; for threads that may wait.
    /// - Returns: nil when `limit` has passed first, or no key will ever come.
    public func key(within limit: Duration) -> UInt8? {
        guard waitReadable(STDIN_FILENO, timeout: limit) else { return nil }
        var byte: UInt8 = 0
        return read(STDIN_FILENO, &byte, 1) == 1 ? byte : nil
    }
}
