/// What a plan needs to know of the machine, as questions, so that planning itself stays pure.
public struct Machine {
    /// Ports that the kernel hands out by itself.
    public var ephemeral: ClosedRange<Int>
    /// Who keeps a port from being bound on the loopback addresses; nil where it is free.
    public var holder: (Int) -> PortOwner?
    /// Whether the manifest of another project is still there.
    public var manifestExists: (String) -> Bool

    public init(
        ephemeral: ClosedRange<Int>, holder: @escaping (Int) -> PortOwner?,
        manifestExists: @escaping (String) -> Bool
    ) {
        self.ephemeral = ephemeral
        self.holder = holder
        self.manifestExists = manifestExists
    }
}
