/// The colours of services: each by its name, so that it is the same in every run and for every reader, and where two
/// names ask for the same, the next that nobody has, as far as they last.
struct Palette {
    /// Places in the 256-colour table, each readable on a black and on a white ground; red is kept for stderr.
    static let colors: [UInt8] = [32, 35, 37, 64, 97, 100, 130, 133, 136, 139, 166, 169]

    /// Indices of `colors`, by names without case.
    private var places: [String: Int] = [:]

    /// - Parameter names: of all services, in any order.
    init(_ names: [String]) {
        for name in names.map({ $0.lowercased() }).sorted() { _ = place(name) }
    }

    mutating func color(of name: String) -> UInt8 { Self.colors[place(name.lowercased())] }

    private mutating func place(_ name: String) -> Int {
        if let place = places[name] { return place }
        let wanted = Self.wanted(name)
        let taken = Set(places.values)
        let around = (0..<Self.colors.count).map { (wanted + $0) % Self.colors.count }
        let place = around.first { !taken.contains($0) } ?? wanted
        places[name] = place
        return place
    }

    private static func wanted(_ name: String) -> Int {
        // FNV-1a
        var hash: UInt32 = 2_166_136_261
        for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return Int((hash ^ hash >> 16) % UInt32(colors.count))
    }
}
