import JSON

/// A manifest made of what another tool reads, ready to be written. `devmesh check` finds no mistake in it.
///
///     Procfile ─────────────────┐
///     process-compose, as JSON ─┤
///     compose.yaml, as JSON ────┼─▶ Draft ─▶ text, and notes of what could not be carried over
///     a look around the folder ─┘
public struct ImportedManifest: Sendable, Equatable {
    /// The whole file, with comments.
    public var text: String
    /// The names of its services, in order.
    public var services: [String]
    /// What was left out or changed: a sentence each, without its full stop.
    public var notes: [String]
    /// The variables whose values are secrets, `db.POSTGRES_PASSWORD`: they stand in the text.
    public var secrets: [String]
}

/// Where a manifest is made from and for.
public struct ImportOrigin: Sendable, Equatable {
    /// What was read, as people call it: `Procfile`, `deploy/compose.yaml`.
    public var source: String
    /// The folder of what was read, absolute.
    public var folder: String
    /// The folder that the manifest lies in, absolute.
    public var manifestFolder: String
    /// What a `.env` beside the source holds: other tools read it unasked.
    public var environmentFile: [UInt8]?
    /// The program that builds images.
    public var imageBuilder: String

    public init(
        source: String, folder: String, manifestFolder: String, environmentFile: [UInt8]? = nil,
        imageBuilder: String = "docker"
    ) {
        self.source = source
        self.folder = folder
        self.manifestFolder = manifestFolder
        self.environmentFile = environmentFile
        self.imageBuilder = imageBuilder
    }

    /// What the source calls `path`, as the manifest calls it: relative to its folder where it is near, else absolute.
    func path(_ path: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : folder + "/" + path).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        let base = manifestFolder.split(separator: "/")
        let common = zip(base, parts).prefix { $0 == $1 }.count
        let ups = base.count - common
        if ups > 1 || ups > 0 && common == 0 { return "/" + parts.joined(separator: "/") }
        let way = Array(repeating: "..", count: ups) + parts[common...]
        return way.isEmpty ? "." : way.joined(separator: "/")
    }

    /// The `directory` of a service that the source has run in `path`; nil for the manifest's own folder.
    func directory(_ path: String, _ dollars: (String) -> String = Dollars.escaped) -> String? {
        let path = self.path(path)
        return path == "." ? nil : dollars(path)
    }
}

/// Why no manifest could be made.
public enum ImportError: Error, Equatable {
    /// It is another kind of file than was said.
    case unexpected(source: String, expected: String)
    /// A compose file as people write it.
    case unresolved(source: String)
    case noServices(source: String)
}

/// The kinds of files that a manifest can be made from; `isYAML`: as they lie there, to be turned into JSON.
public enum ImportFormat: Sendable, Equatable {
    case procfile
    case processCompose(isYAML: Bool)
    /// As JSON it is what `docker compose config` prints.
    case compose(isYAML: Bool)

    /// Those that are looked for in a folder; the first found is taken.
    public static let fileNames = [
        "process-compose.yaml", "process-compose.yml", "Procfile.dev", "Procfile", "compose.yaml", "compose.yml",
        "docker-compose.yaml", "docker-compose.yml",
    ]

    /// Tells the kind of a file by its name and, where that says too little, by what is in it.
    public init?(file name: String, holding text: String) {
        let name = name.lowercased()
        if let json = try? JSON(parsing: text) {
            if json["processes"]?.objectValue != nil {
                self = .processCompose(isYAML: false)
            } else if json["services"]?.objectValue != nil {
                self = .compose(isYAML: false)
            } else {
                return nil
            }
        } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            let keys = text.split(whereSeparator: \.isNewline).compactMap { $0.split(separator: ":").first }
            if keys.contains("processes") {
                self = .processCompose(isYAML: true)
            } else if keys.contains("services") {
                self = .compose(isYAML: true)
            } else {
                return nil
            }
        } else if name.hasPrefix("procfile") || name.hasSuffix("procfile") {
            self = .procfile
        } else {
            return nil
        }
    }
}
