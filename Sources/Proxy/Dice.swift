/// FNV-1a, 64 bits, of bytes that tell a client; spread, since the high bits choose.
func clientHash(of bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return spread(hash)
}

/// Mixes all bits into all bits, one to one: the finalizer of MurmurHash3. Makes independent dice out of one.
func spread(_ number: UInt64) -> UInt64 {
    var mixed = number
    mixed = (mixed ^ mixed >> 33) &* 0xff51_afd7_ed55_8ccd
    mixed = (mixed ^ mixed >> 33) &* 0xc4ce_b9fe_1a85_ec53
    return mixed ^ mixed >> 33
}
