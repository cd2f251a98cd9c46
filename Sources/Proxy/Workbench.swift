import HTTP

/// What all exchanges of a loop use in turn while they look at one piece of input: memory that is kept from one to the
/// next, so that an ordinary exchange allocates nothing. Nothing in it outlives a call.
final class Workbench {
    // Unchecked: used by one loop only, and for one piece of input at a time; parsers and writers call nobody.
    @exclusivity(unchecked) var request = RequestHead()
    @exclusivity(unchecked) var response = ResponseHead()
    @exclusivity(unchecked) var writer = HeadWriter(reserving: 160 << 10)
    /// For what goes to a second server.
    @exclusivity(unchecked) var copy = HeadWriter()
    private var seed = UInt64.random(in: .min ... .max)

    /// Evenly from all 64-bit numbers (Steele's SplitMix64).
    func roll() -> UInt64 {
        seed &+= 0x9e37_79b9_7f4a_7c15
        return spread(seed)
    }
}
