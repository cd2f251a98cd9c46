import JSON

/// `container`: the image that a service runs from, by way of docker or podman.
public struct Container: Sendable, Equatable {
    public var image: String
    /// Where its program listens inside; nil: on the port in `PORT`.
    public var port: Int?
    /// `SOURCE:TARGET[:OPTIONS]`; the source is an absolute path or a volume's name. `TARGET` alone is a volume that lives
    /// as long as the container.
    public var volumes: [String]
    /// What it runs instead of what the image says, and with which arguments; none: that.
    public var entrypoint: [String]
    public var command: [String]
    /// The folder inside that it runs in, and as whom; nil: as the image says.
    public var directory: String?
    public var user: String?
    /// The names of the variables that the manifest sets for it. What `up` inherited stays outside.
    public var variables: [String]

    /// What this machine is called inside (docker-run(1), `--add-host`).
    public static let hostName = "host.docker.internal"

    /// The programs that run containers; the first found is taken.
    public static let clients = ["docker", "podman"]

    /// By which all containers of a project are found again.
    public static func label(ofProject hash: String) -> String { "devmesh.project=\(hash)" }

    /// The command that takes all containers of a project away, whoever started them.
    /// - Parameter client: docker or podman.
    public static func removal(ofProject hash: String, client: String) -> [String] {
        let script = #"all=$("$0" ps -aq --filter "label=$1") && { [ -z "$all" ] || "$0" rm -f $all; }"#
        return ["/bin/sh", "-c", script, client, label(ofProject: hash)]
    }

    /// Whether a variable is what the client itself goes by: where the daemon is, and its own files.
    public static func isClients(_ variable: String) -> Bool { clientsOwn.contains(variable) }

    private static let clientsOwn: Set<String> = [
        "PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DOCKER_HOST", "DOCKER_CONTEXT",
        "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION",
        "DOCKER_DEFAULT_PLATFORM", "CONTAINER_HOST", "CONTAINER_SSHKEY", "CONTAINERS_CONF",
    ]

    public init(
        image: String, port: Int? = nil, volumes: [String] = [], entrypoint: [String] = [], command: [String] = [],
        directory: String? = nil, user: String? = nil, variables: [String] = []
    ) {
        self.image = image
        self.port = port
        self.volumes = volumes
        self.entrypoint = entrypoint
        self.command = command
        self.directory = directory
        self.user = user
        self.variables = variables
    }
}

extension Service {
    /// Whether there is something of it that can run here.
    public var runsHere: Bool { run != nil || container != nil }
}

extension ManifestKeys {
    static let container = Key(
        "container",
        .object([
            Key(
                "image", .text(.imageName), "The image that it runs from. ${NAME} is expanded.", isRequired: true,
                examples: ["postgres:17"]),
            Key("port", .whole(1...65535), "The port that it listens on inside. Default: the port in PORT."),
            Key(
                "volumes", .list(.text(.volume), minimum: 0),
                "What of this machine it sees: a path relative to the manifest or a volume's name, a colon, and the "
                    + "path inside. A path inside alone is a volume that goes with the container. ${NAME} is expanded.",
                standard: [], examples: [["./data:/var/lib/data"]]),
            Key(
                "entrypoint", .list(.text(.any), minimum: 0),
                "What it runs instead of the image's own entry point, and the first of its arguments. ${NAME} is expanded.",
                standard: []),
            Key(
                "command", .list(.text(.any), minimum: 0),
                "The arguments that it gets instead of the image's own. ${NAME} is expanded.", standard: []),
            Key(
                "directory", .text(.insidePath),
                "The folder inside that it runs in. ${NAME} is expanded. Default: the image's own.", examples: ["/app"]),
            Key(
                "user", .text(.filled), "As whom it runs inside. ${NAME} is expanded. Default: the image's own.",
                examples: ["1000:1000"]),
        ]),
        "The container that it runs in, by docker or podman, instead of run. It reaches the services of its uses alone.",
        examples: [["image": "postgres:17", "port": 5432, "volumes": ["./data:/var/lib/postgresql/data"]]])
}

extension TextRule {
    /// No option, and no blanks.
    static let imageName = TextRule(
        pattern: "^[^\\u0000-\\u0020\\u007f-][^\\u0000-\\u0020\\u007f]*$",
        expected: "the name of an image, such as \"postgres:17\""
    ) { text in
        !text.isEmpty && text.unicodeScalars.first != "-"
            && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
    }

    static let insidePath = TextRule(
        pattern: "^/[^\\u0000]*$", expected: "a path inside that begins with /, such as \"/app\""
    ) { $0.hasPrefix("/") && !$0.utf8.contains(0) }

    static let volume = TextRule(
        pattern: "^(/[^\\u0000:]*|[^\\u0000:-][^\\u0000:]*:/[^\\u0000]*)$",
        expected: "a path or a volume's name, a colon and a path inside, such as \"./data:/var/lib/data\""
    ) { text in
        if text.hasPrefix("/"), !text.contains(":") { return !text.utf8.contains(0) }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && !parts[0].hasPrefix("-") && parts[1].hasPrefix("/")
            && !text.utf8.contains(0)
    }
}

extension ServiceReader {
    /// - Parameter variables: what its own entry sets.
    mutating func container(_ scope: Scope, _ injected: InjectedNames, _ variables: [Variable]) -> Container? {
        guard let node = node["container"], let image = node["image"] else { return nil }
        let trail = trail.key("container")
        let volumes = texts(node["volumes"], scope, at: trail.key("volumes")).map { volume in
            // A name has no slash, as docker-run(1) tells the two apart.
            guard volume.hasPrefix("."), let colon = volume.firstIndex(of: ":") else { return volume }
            return reader.absolute(String(volume[..<colon])) + volume[colon...]
        }
        let names = (topVariables + variables).map(\.name)
        return Container(
            image: expand(image, scope, at: trail.key("image")) ?? "", port: node["port"]?.wholeNumber,
            volumes: volumes, entrypoint: texts(node["entrypoint"], scope, injected, at: trail.key("entrypoint")),
            command: texts(node["command"], scope, injected, at: trail.key("command")),
            directory: node["directory"].flatMap { expand($0, scope, at: trail.key("directory")) },
            user: node["user"].flatMap { expand($0, scope, at: trail.key("user")) },
            variables: Array(Set(names)).sorted())
    }

    private mutating func texts(
        _ list: JSONSyntax?, _ scope: Scope, _ injected: InjectedNames = .none, at trail: KeyTrail
    ) -> [String] {
        var texts: [String] = []
        for (index, element) in (list?.elements ?? []).enumerated() {
            texts.append(expand(element, scope, injected, at: trail.element(index)) ?? "")
        }
        return texts
    }
}
