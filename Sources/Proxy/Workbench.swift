import HTTP

/// What all exchanges of a loop use in turn while they look at one piece of input: memory that is kept from one to the
/// next, so that an ordinary exchange allocates nothing. Nothing in it outlives a call.
final class Workbench {
    var request = RequestHead()
    var response = ResponseHead()
    /// For what goes to a second server.
    var copy = HeadWriter()
    private var seed = UInt64.random(in: .min ... .max)
    var writer = HeadWriter(reserving: 160 << 10)

    /// Evenly from all 64-bit numbers (Steele's SplitMix64).
    func roll() -> UInt64 {
        seed &+= 0x9e37_79b9_7f4a_7c15
        return spread(seed)
    }
}
