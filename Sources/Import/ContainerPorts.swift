import JSON
import Manifest

/// A container may listen on several ports; a service of ours has one.
extension Draft {
    /// Chooses one that others call it at; of several, and where nobody calls it, that which its image is known for, else
    /// the first.
    mutating func choosePorts() {
        for index in services.indices where !services[index].container.isEmpty {
            let service = services[index]
            let called = services.filter { $0.source != service.source && !$0.container.isEmpty }.flatMap { caller in
                service.names(for: caller).flatMap { name in
                    caller.texts.flatMap { ContainerAddresses.ports(of: name, in: $0) }
                }
            }
            let known = Self.knownPort(of: service.container.first { $0.name == "image" }?.value.stringValue ?? "")
            let declared = service.ports.map(\.inside)
            let open = declared.isEmpty ? called + [known].compactMap { $0 } : declared
            let choice = [open.filter(called.contains), open].lazy.compactMap { ports in
                ports.first { $0 == known } ?? ports.first
            }.first
            guard let choice else {
                services[index].listens = .nowhere
                services[index].comments.append(
                    "Nothing says that it listens. If it does, put \"port\" into container for \"listens\".")
                continue
            }
            services[index].container.insert(JSON.Member("port", .int(choice)), at: 1)
            let others = declared.filter { $0 != choice }.map(String.init)
            if !others.isEmpty {
                note(
                    "\(service.name): of its ports \(choice) is its own; \(Sentence.alternatives(others, "and")) can't be "
                        + "reached")
            }
            pin(index, to: service.ports.lazy.filter { $0.inside == choice }.compactMap(\.outside).first)
        }
    }

    /// - Parameter port: where it is reached on this machine.
    private mutating func pin(_ index: Int, to port: Int?) {
        guard let port else { return }
        // Below, only root can listen; within, programs get their private ports.
        if 1024...65535 ~= port, !(10000...19999 ~= port) {
            services[index].port = port
        } else {
            note(
                "\(services[index].name): its address is another than port \(port); `devmesh ports` tells, \"port\" chooses "
                    + "one")
        }
    }

    /// Where images listen that are often used without saying so.
    private static func knownPort(of image: String) -> Int? {
        let name = image.split(separator: "/").last?.split { ":@".contains($0) }.first.map(String.init) ?? ""
        let ports = [
            "postgres": 5432, "postgis": 5432, "mysql": 3306, "mariadb": 3306, "redis": 6379, "valkey": 6379,
            "mongo": 27017, "rabbitmq": 5672, "memcached": 11211, "nats": 4222, "nginx": 80, "httpd": 80,
            "elasticsearch": 9200, "minio": 9000,
        ]
        return ports[name]
    }
}
