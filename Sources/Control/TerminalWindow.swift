import Platform

/// In what somebody looks at a service's terminal.
public struct TerminalWindow: Sendable, Equatable {
    public var size: TerminalSize
    /// By which its other requests name it; any text that no other window has.
    public var name: String

    public init(_ size: TerminalSize, name: String) {
        self.size = size
        self.name = name
    }
}
