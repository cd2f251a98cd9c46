import JSON
import Platform

/// What a mesh that is up says about itself to those that look for it: `mesh.json`, written once it can be asked.
public struct MeshRecord: Sendable, Equatable {
    /// The real path of the manifest.
    public var manifest: String
    /// What people see.
    public var name: String
    /// Of the supervisor.
    public var pid: Int32
    public var started: WallTime
    /// The control socket.
    public var socket: String
    public var gatewayPort: Int
    /// Ports that its programs insist on, with the service.
    public var insistedPorts: [Int: String]

    public init(
        manifest: String, name: String, pid: Int32, started: WallTime, socket: String, gatewayPort: Int,
        insistedPorts: [Int: String] = [:]
    ) {
        self.manifest = manifest
        self.name = name
        self.pid = pid
        self.started = started
        self.socket = socket
        self.gatewayPort = gatewayPort
        self.insistedPorts = insistedPorts
    }

    var json: JSON {
        let insisted = insistedPorts.sorted { $0.key < $1.key }.map { JSON.Member("\($0.key)", .string($0.value)) }
        return [
            "manifest": .string(manifest), "name": .string(name), "pid": .int(Int(pid)),
            "startedMicroseconds": .int(Int(started.microseconds)), "started": .string(started.rfc3339()),
            "socket": .string(socket), "gatewayPort": .int(gatewayPort), "insistedPorts": .object(insisted),
        ]
    }

    init?(_ json: JSON) {
        guard let manifest = json["manifest"]?.stringValue, let name = json["name"]?.stringValue,
            let pid = json["pid"]?.intValue.flatMap(Int32.init(exactly:)), let socket = json["socket"]?.stringValue,
            let started = json["startedMicroseconds"]?.intValue, let gatewayPort = json["gatewayPort"]?.intValue
        else { return nil }
        self.init(
            manifest: manifest, name: name, pid: pid, started: WallTime(microseconds: Int64(started)),
            socket: socket, gatewayPort: gatewayPort)
        for member in json["insistedPorts"]?.objectValue ?? [] {
            if let port = Int(member.name), let service = member.value.stringValue { insistedPorts[port] = service }
        }
    }

    /// Reads a record; nil where there is none, or a torn one.
    static func read(_ path: String, _ kernel: Kernel) -> MeshRecord? {
        guard let bytes = try? kernel.readFile(path), let json = try? JSON(parsing: bytes) else { return nil }
        return MeshRecord(json)
    }

    /// Whether something of this user accepts connections on its control socket.
    func isAlive(_ kernel: Kernel) -> Bool {
        let address = SocketAddress.unix(socket)
        do throws(Errno) {
            let probe = try kernel.socket(for: address)
            _ = try kernel.connect(probe, to: address)
            // A folder above may be anybody's: who pretends to be a mesh there would be given environments.
            return try kernel.peerUser(probe) == ThisProcess.userID
        } catch {
            // A full backlog is a listener that is behind (unix(7)); only these say that there is none.
            return ![.connectionRefused, .noEntry, .notDirectory, .invalid].contains(error)
        }
    }
}
