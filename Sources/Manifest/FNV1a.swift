/// FNV-1a, 64 bits: against accidents, not attackers.
public enum FNV1a {
    /// The hash's own beginning; another one yields an independent hash.
    public static let basis: UInt64 = 0xcbf2_9ce4_8422_2325

    /// 16 hexadecimal digits that stand for the bytes.
    public static func digits(of bytes: some Sequence<UInt8>, basis: UInt64 = basis) -> String {
        var hash = basis
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
