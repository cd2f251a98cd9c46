/// Finds ctrl-P ctrl-Q in what is typed; pure.
struct DetachKeys {
    private static let first: UInt8 = 0x10
    private static let second: UInt8 = 0x11

    /// A ctrl-P waits for what comes next.
    private var holdsFirst = false

    /// - Returns: what is to be passed on, and whether the keys were typed; what follows them is dropped.
    mutating func feed(_ typed: some Sequence<UInt8>) -> (bytes: [UInt8], isDetached: Bool) {
        var bytes: [UInt8] = []
        for byte in typed {
            if holdsFirst, byte == Self.second { return (bytes, true) }
            if holdsFirst { bytes.append(Self.first) }
            holdsFirst = byte == Self.first
            if !holdsFirst { bytes.append(byte) }
        }
        return (bytes, false)
    }
}
