/// 200 ports that belong to one project, and what each is for (contract §3).
///
///     first  +1 … +98   +99   +100 … +199
///     gateway  fronts   DNS       edges
///
/// A second block of the same project has fronts and edges only; its gateway and DNS ports stay unused.
public struct PortBlock: Sendable, Equatable {
    public static let size = 200
    /// Where the first block that is given on its own accord begins.
    public static let lowest = 20_000

    public var first: Int

    public init(first: Int) {
        self.first = first
    }

    public var gateway: Int { first }
    public var fronts: ClosedRange<Int> { first + 1...first + 98 }
    public var dns: Int { first + 99 }
    public var edges: ClosedRange<Int> { first + 100...first + 199 }
    public var ports: ClosedRange<Int> { first...first + 199 }

    func overlaps(_ other: PortBlock) -> Bool {
        ports.overlaps(other.ports)
    }
}
