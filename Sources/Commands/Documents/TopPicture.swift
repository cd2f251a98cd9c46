import Control
import JSON
import Platform

/// What `devmesh top` shows of a mesh at one moment: the rows of `ps`, the busiest first.
struct TopPicture {
    /// Of the mesh.
    var name: String
    var services: [ServiceStatus]
    var now: WallTime

    /// - Parameter services: in the manifest's order, which those that use equally much keep.
    init(name: String, services: [ServiceStatus], now: WallTime) {
        self.name = name
        self.services = services.enumerated().sorted { one, other in
            let (mine, its) = (one.element.cpu ?? -1, other.element.cpu ?? -1)
            return mine == its ? one.offset < other.offset : mine > its
        }.map(\.element)
        self.now = now
    }

    /// A line of a stream.
    var json: JSON { ["time": .string(now.rfc3339()), "services": .array(services.map { $0.json })] }

    func lines(width: Int?, colours: Bool) -> [String] {
        StatusTable(services: services, now: now, isAboutUse: true).table.lines(width: width, colours: colours)
    }

    /// A whole screen in place of the one before, without a flicker.
    ///
    /// - Parameter ending: how the user ends it, as `q`.
    func screen(width: Int?, height: Int?, colours: Bool, ending: String) -> String {
        let cpu = DecimalText.one(services.compactMap(\.cpu).reduce(0, +))
        let memory = SizeText.short(services.compactMap(\.rss).reduce(0, +))
        let title = OneLine.of("\(name): cpu \(cpu)%, memory \(memory); \(ending) ends this")
        var lines = [DisplayWidth.truncate(title, to: width ?? .max), ""] + lines(width: width, colours: colours)
        // The cursor stands below the last.
        if let height { lines = Array(lines.prefix(max(1, height - 1))) }
        // To the upper left; each line, and whatever else is left of its former; what was below (ECMA-48).
        return "\u{1B}[H" + lines.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
    }
}
