import JSON

/// The file's text: JSON with one project a line, so that of a torn file every whole line can still be read.
///
///     {"version":1,"projects":[
///     {"manifest":"/src/newsroom/services.json","name":"newsroom","displayName":"newsroom","blocks":[20000],…},
///     {"manifest":…}
///     ]}
extension PortRegistry {
    /// What reading the file's bytes came to.
    public enum Reading: Sendable, Equatable {
        case whole(PortRegistry)
        /// What could be made out, and a clause for each thing that could not.
        case damaged(PortRegistry, problems: [String])
        /// Written by a devmesh that knows more; to write it again would lose what it knows.
        case newer(version: Int)
    }

    public func serialized() -> String {
        let lines = projects.map { $0.json.serialized() }
        return "{\"version\":\(Self.version),\"projects\":[\n" + lines.joined(separator: ",\n") + "\n]}\n"
    }

    /// Reads what `serialized` wrote, and of anything else as much as makes sense.
    public static func parse(_ bytes: [UInt8]) -> Reading {
        var salvage = Salvage()
        if let document = try? JSON(parsing: bytes), document.objectValue != nil {
            if let version = document["version"]?.intValue, version > Self.version {
                return .newer(version: version)
            }
            if let entries = document["projects"]?.arrayValue {
                for entry in entries { salvage.add(entry) }
            } else {
                salvage.problems.append("it lists no projects")
            }
        } else {
            salvage.problems.append(bytes.isEmpty ? "it is empty" : "it is not JSON as a whole")
            for line in bytes.split(separator: UInt8(ascii: "\n")) where line.first == UInt8(ascii: "{") {
                let entry = line.last == UInt8(ascii: ",") ? line.dropLast() : line
                if let value = try? JSON(parsing: Array(entry)) { salvage.add(value) }
            }
        }
        return salvage.problems.isEmpty
            ? .whole(salvage.registry) : .damaged(salvage.registry, problems: salvage.problems)
    }

    /// Takes one project's ports from a copy of the registry that the project kept, if they are not in this one and
    /// nobody else has them now.
    public mutating func restore(manifest: String, from copy: [UInt8]) {
        guard project(manifest: manifest) == nil, case .whole(let kept) = Self.parse(copy),
            let project = kept.project(manifest: manifest)
        else { return }
        var salvage = Salvage(registry: self)
        salvage.add(project.json)
        if salvage.problems.isEmpty { self = salvage.registry }
    }
}

extension PortRegistry.Project {
    fileprivate var json: JSON {
        .object([
            .init("manifest", .string(manifest)),
            .init("name", .string(name)),
            .init("displayName", .string(displayName)),
            .init("blocks", .array(blocks.map { .int($0.first) })),
            .init("chosen", .bool(isChosen)),
            .init("fronts", Self.table(fronts)),
            .init("pins", Self.table(pins)),
            .init("edges", Self.table(Dictionary(uniqueKeysWithValues: edges.map { ($0.key.text, $0.value) }))),
        ])
    }

    /// By port, so that the file reads in the order in which ports were given.
    private static func table(_ ports: [String: Int]) -> JSON {
        let ordered = ports.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        return .object(ordered.map { .init($0.key, .int($0.value)) })
    }
}

extension PortRegistry.EdgeName {
    /// No service name holds an arrow.
    fileprivate var text: String { caller + "→" + target }

    fileprivate init?(text: String) {
        let halves = text.split(separator: "→", omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[0].isEmpty, !halves[1].isEmpty else { return nil }
        self.init(caller: String(halves[0]), target: String(halves[1]))
    }
}

/// Gathers the projects of a file that may be torn, altered by hand or put together from two: what it keeps is free
/// of contradictions, whatever the input was.
private struct Salvage {
    var registry = PortRegistry()
    var problems: [String] = []

    mutating func add(_ value: JSON) {
        guard let manifest = value["manifest"]?.stringValue, manifest.hasPrefix("/") else {
            problems.append("an entry names no manifest")
            return
        }
        guard registry.project(manifest: manifest) == nil else {
            problems.append("\(manifest) is listed twice")
            return
        }
        let name = value["name"]?.stringValue ?? ""
        var project = PortRegistry.Project(
            manifest: manifest, name: name, displayName: value["displayName"]?.stringValue ?? name)
        project.isChosen = value["chosen"]?.boolValue ?? false
        project.blocks = blocks(of: value, isChosen: project.isChosen, manifest: manifest)
        project.pins = ports(value["pins"], in: manifest, where: { _ in true })
        // A port stays given only inside a block of its project, and only once.
        var taken: Set<Int> = []
        let isGiven = { (port: Int) in
            guard let block = project.blocks.first(where: { $0.ports.contains(port) }) else { return false }
            return port != block.gateway && port != block.dns && taken.insert(port).inserted
        }
        project.fronts = ports(value["fronts"], in: manifest, where: isGiven)
        for (text, port) in ports(value["edges"], in: manifest, where: isGiven) {
            guard let edge = PortRegistry.EdgeName(text: text) else {
                problems.append("\(manifest) has an edge \"\(text)\"")
                continue
            }
            project.edges[edge] = port
        }
        registry.projects.append(project)
    }

    /// Blocks that fit and that no project above has, unless both asked for theirs.
    private mutating func blocks(of value: JSON, isChosen: Bool, manifest: String) -> [PortBlock] {
        var kept: [PortBlock] = []
        for (index, entry) in (value["blocks"]?.arrayValue ?? []).enumerated() {
            guard let first = entry.intValue, (1024...65_536 - PortBlock.size).contains(first) else {
                problems.append("\(manifest) has a block that is out of range")
                continue
            }
            let block = PortBlock(first: first)
            let isShared = registry.projects.contains { other in
                other.blocks.enumerated().contains { place, taken in
                    block.overlaps(taken) && !(isChosen && index == 0 && other.isChosen && place == 0)
                }
            }
            if isShared || kept.contains(where: block.overlaps) {
                problems.append("the block of \(manifest) at \(first) has another owner")
            } else {
                kept.append(block)
            }
        }
        return kept
    }

    private mutating func ports(_ table: JSON?, in manifest: String, where isSound: (Int) -> Bool) -> [String: Int] {
        var kept: [String: Int] = [:]
        for member in table?.objectValue ?? [] {
            guard let port = member.value.intValue, (1...65_535).contains(port), isSound(port) else {
                problems.append("the port of \(member.name) in \(manifest) makes no sense")
                continue
            }
            kept[member.name.lowercased()] = port
        }
        return kept
    }
}
