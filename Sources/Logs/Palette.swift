/// The colour of a service: chosen by its name alone, so that it is the same in every run and for every reader.
enum Palette {
    /// Places in the 256-colour table, each readable on a black and on a white ground; red is kept for stderr.
    static let colors: [UInt8] = [32, 35, 37, 64, 97, 100, 130, 133, 136, 139, 166, 169]

    static func color(of name: String) -> UInt8 {
        // FNV-1a, without case as names are.
        var hash: UInt32 = 2_166_136_261
        for byte in name.lowercased().utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return colors[Int((hash ^ hash >> 16) % UInt32(colors.count))]
    }
}
