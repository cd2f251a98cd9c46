import JSON

/// The mesh that answers: `GET /v1/mesh`.
public struct MeshInfo: WireType {
    /// What people call it; two running projects of one name differ by a suffix.
    public var name: String
    /// The project's folder.
    public var project: String
    /// The real path of the manifest.
    public var manifest: String
    /// The supervisor.
    public var pid: Int
    /// RFC 3339.
    public var startedAt: String
    /// devmesh's own.
    public var version: String
    /// The gateway's port.
    public var gateway: Int?
    /// The control socket's path.
    public var socket: String

    public init(
        name: String, project: String, manifest: String, pid: Int, startedAt: String, version: String, gateway: Int?,
        socket: String
    ) {
        self.name = name
        self.project = project
        self.manifest = manifest
        self.pid = pid
        self.startedAt = startedAt
        self.version = version
        self.gateway = gateway
        self.socket = socket
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        name = try reader.string("name")
        project = try reader.string("project")
        manifest = try reader.string("manifest")
        pid = try reader.int("pid")
        startedAt = try reader.string("startedAt")
        version = try reader.string("version")
        gateway = try reader.optionalInt("gateway")
        socket = try reader.string("socket")
    }

    public var json: JSON {
        [
            "name": .string(name), "project": .string(project), "manifest": .string(manifest), "pid": .int(pid),
            "startedAt": .string(startedAt), "version": .string(version), "gateway": JSON(gateway),
            "socket": .string(socket),
        ]
    }
}

/// Where the mesh's logs are: `GET /v1/logs`.
public struct StoredLogs: WireType {
    /// Has a folder for each service.
    public var folder: String

    public init(folder: String) { self.folder = folder }

    public init(json: JSON) throws(WireProblem) { folder = try WireReader(json).string("folder") }

    public var json: JSON { ["folder": .string(folder)] }
}

/// One address of the mesh: a row of `ports`.
public struct PortEntry: WireType {
    public enum Kind: String, Sendable {
        case front, edge, gateway, dns
    }

    /// Whom it leads to; nil for the gateway and DNS.
    public var service: String?
    public var port: Int
    public var url: String?
    /// The caller that an edge is reserved for.
    public var edge: String?
    public var kind: Kind

    public init(service: String?, port: Int, url: String?, edge: String?, kind: Kind) {
        self.service = service
        self.port = port
        self.url = url
        self.edge = edge
        self.kind = kind
    }

    public init(json: JSON) throws(WireProblem) {
        let reader = try WireReader(json)
        service = try reader.optionalString("service")
        port = try reader.int("port")
        url = try reader.optionalString("url")
        edge = try reader.optionalString("edge")
        let name = try reader.string("kind")
        guard let kind = Kind(rawValue: name) else {
            throw WireProblem("\"kind\": expected front, edge, gateway or dns, found \"\(name)\"")
        }
        self.kind = kind
    }

    public var json: JSON {
        [
            "service": JSON(service), "port": .int(port), "url": JSON(url), "edge": JSON(edge),
            "kind": .string(kind.rawValue),
        ]
    }
}
