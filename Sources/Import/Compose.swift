import JSON
import Manifest

extension ImportedManifest {
    /// Makes a manifest from what `docker compose config --format json` prints.
    public static func compose(_ json: JSON, _ origin: ImportOrigin) throws(ImportError) -> ImportedManifest {
        let file = Fields(json)
        guard let members = file.members("services") else {
            throw .unexpected(source: origin.source, expected: "services")
        }
        var draft = Draft(origin)
        let project = file.text("name")
        draft.name = project.flatMap { $0.utf8.count <= 100 && ServiceNaming.isPlain($0) ? $0 : nil }
        let volumes = file.members("volumes") ?? []
        let services = members.map { ComposeService($0, volumes: volumes, project: draft.name ?? "app") }
        draft.services = services.map { $0.read(into: &draft) }
        draft.shareBuilds()
        // A network that compose makes by itself says nothing.
        if file.members("networks")?.allSatisfy({ $0.name == "default" }) == false {
            draft.note("not carried over: networks")
        }
        for volume in volumes {
            let fields = Fields(volume.value)
            fields.ignore("name", "external")
            draft.noteRest(of: fields, in: "volume \(volume.name)")
        }
        draft.noteRest(of: file)
        if draft.services.contains(where: { $0.restart == nil }) {
            draft.note(
                "what compose leaves stopped when it fails is started again here; \"restart\": \"never\" changes that")
        }
        return try draft.finished()
    }
}

extension Draft {
    /// Compose builds every image before it starts anything. Here each service builds its own: where several run from
    /// one image, all do, and docker does it once.
    fileprivate mutating func shareBuilds() {
        for service in services where service.build != nil {
            for index in services.indices
            where services[index].build == nil && services[index].image == service.image {
                services[index].build = service.build
                services[index].directory = service.directory
            }
        }
    }
}

extension DraftService {
    fileprivate var image: JSON? { container.first { $0.name == "image" }?.value }
}

/// One of its services.
private struct ComposeService {
    let name: String
    let fields: Fields
    let volumes: [JSON.Member]
    let project: String

    init(_ member: JSON.Member, volumes: [JSON.Member], project: String) {
        name = member.name
        fields = Fields(member.value)
        self.volumes = volumes
        self.project = project
    }

    func read(into draft: inout Draft) -> DraftService {
        var service = DraftService(name)
        let image = self.image(&service, &draft)
        service.container = [JSON.Member("image", .string(Dollars.escaped(image)))]
        listen(&service, image, &draft)
        let mounts = mounts(&draft)
        if !mounts.isEmpty { service.container.append(JSON.Member("volumes", .array(mounts.map { .string($0) }))) }
        if let command = fields.texts("command"), !command.isEmpty {
            service.container.append(JSON.Member("command", .array(command.map { .string(Self.escaped($0)) })))
        }
        service.variables = (fields.members("environment") ?? []).map { member in
            // Without a value it is the caller's own.
            (member.name, member.value.plainText.map(Self.escaped) ?? "${\(member.name):-}")
        }
        dependencies(&service, &draft)
        service.restart = restart(&draft)
        probe(&service)
        service.stop = stop(&draft)
        let replicas = fields.object("deploy")?.whole("replicas") ?? fields.whole("scale")
        service.instances = replicas.flatMap { 2...1000 ~= $0 ? $0 : nil }
        service.isDisabled = replicas == 0
        if service.isDisabled { service.comments.append("Scaled to 0; take x- away to have it run.") }
        if let networks = fields.members("networks"), !networks.allSatisfy({ $0.name == "default" }) {
            draft.note("\(name): not carried over: networks")
        }
        fields.ignore("container_name", "hostname", "init")
        draft.noteRest(of: fields, in: name)
        return service
    }

    /// As compose writes a text in which nothing is to be expanded any more, and as a manifest does.
    private static func escaped(_ text: String) -> String { Dollars.escaped(Dollars.unescaped(text)) }

    // MARK: What it runs

    /// The image, and how it is built.
    private func image(_ service: inout DraftService, _ draft: inout Draft) -> String {
        let own = fields.text("image").flatMap { text in
            text.hasPrefix("-") || text.unicodeScalars.contains { $0.value <= 0x20 || $0.value == 0x7F } ? nil : text
        }
        guard let build = fields.object("build") else {
            if own == nil { draft.note("\(name): it has no image; `container.image` is to be filled in") }
            return own ?? "scratch"
        }
        let image = own ?? "\(project.lowercased())-\(ServiceNaming.name(for: name).lowercased())"
        let context = build.text("context") ?? "."
        let isElsewhere = context.contains("://") || context.hasPrefix("git@")
        if !isElsewhere { service.directory = draft.origin.directory(context) }
        var words = ["docker", "build", "--tag", image]
        if let file = build.text("dockerfile"), file != "Dockerfile" { words += ["--file", file] }
        if let target = build.text("target") { words += ["--target", target] }
        for argument in build.members("args") ?? [] {
            words += ["--build-arg", argument.name + (argument.value.plainText.map { "=" + $0 } ?? "")]
        }
        service.build = .array((words + [isElsewhere ? context : "."]).map { .string(Self.escaped($0)) })
        return image
    }

    /// Paths of this machine as seen from the manifest, and volumes by the names that docker has for them.
    private func mounts(_ draft: inout Draft) -> [String] {
        (fields.array("volumes") ?? []).compactMap { value in
            let mount = Fields(value)
            let (type, target) = (mount.text("type"), mount.text("target") ?? "")
            var source = mount.text("source").flatMap { $0.contains(":") || $0.hasPrefix("-") ? nil : $0 }
            if type == "bind" {
                source = source.map { draft.origin.path($0) }.map { $0.hasPrefix("/") ? $0 : "./" + $0 }
            } else if type == "volume", let volume = source {
                source = Fields(volumes.last { $0.name == volume }?.value).text("name") ?? volume
            } else {
                source = nil
            }
            let isReadOnly = mount.bool("read_only") == true
            mount.object("bind")?.ignore("create_host_path")
            draft.noteRest(of: mount, in: "\(name): mount of \(target)")
            guard let source, target.hasPrefix("/"), !source.hasPrefix("-") else {
                draft.note(
                    "\(name): the mount of \(Sentence.quoted(target)) was left out: it is neither a path nor a named volume"
                )
                return nil
            }
            return Self.escaped("\(source):\(target)\(isReadOnly ? ":ro" : "")")
        }
    }

    // MARK: Where it listens

    private func listen(_ service: inout DraftService, _ image: String, _ draft: inout Draft) {
        var ports: [(inside: Int, outside: Int?)] = []
        for value in fields.array("ports") ?? [] {
            let port = Fields(value)
            if let inside = port.whole("target"), 1...65535 ~= inside, port.text("protocol") ?? "tcp" == "tcp" {
                ports.append((inside, port.whole("published")))
                port.ignore("mode", "name")
                draft.noteRest(of: port, in: "\(name): port \(inside)")
            } else {
                draft.note("\(name): the port \(value.serialized()) was left out: it is not one of TCP")
            }
        }
        let exposed = fields.texts("expose") ?? []
        let open = ports.map(\.inside) + exposed.compactMap { Int($0) }.filter { 1...65535 ~= $0 }
        let rest = (ports.map { "\($0.inside)" } + exposed).filter { $0 != open.first.map(String.init) }
        if !rest.isEmpty {
            draft.note(
                "\(name): of its ports the first is its own; \(Sentence.alternatives(rest, "and")) can't be reached")
        }
        guard let inside = open.first ?? Self.knownPort(of: image) else {
            service.listens = .nowhere
            service.comments.append(
                "Nothing says that it listens. If it does, put \"port\" into container for \"listens\".")
            return
        }
        service.container.append(JSON.Member("port", .int(inside)))
        guard let outside = ports.first?.outside else { return }
        // Below, only root can listen; within, programs get their private ports.
        if 1024...65535 ~= outside, !(10000...19999 ~= outside) {
            service.port = outside
        } else {
            draft.note(
                "\(name): its address is another than port \(outside); `devmesh ports` tells, \"port\" chooses one")
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

    // MARK: Its life

    private func dependencies(_ service: inout DraftService, _ draft: inout Draft) {
        let conditions = [
            "service_started": "started", "service_healthy": "ready", "service_completed_successfully": "completed",
        ]
        for member in fields.members("depends_on") ?? [] {
            let dependency = Fields(member.value)
            let condition = dependency.text("condition").flatMap { conditions[$0] } ?? "started"
            service.dependsOn.append((member.name, condition))
            if dependency.bool("required") == false {
                draft.note("\(name): it waits for \(member.name), without which compose would start it, too")
            }
            if dependency.bool("restart") == true {
                draft.note("\(name): it is not restarted together with \(member.name); its connections wait meanwhile")
            }
        }
        service.uses = service.dependsOn.map(\.name)
    }

    private func restart(_ draft: inout Draft) -> String? {
        guard let policy = fields.text("restart") else { return nil }
        switch policy.split(separator: ":").first {
        case "no": return "never"
        case "always", "unless-stopped": return "always"
        case "on-failure":
            if policy != "on-failure" {
                draft.note("\(name): it is started again after each failure, not just \(policy)")
            }
            return "on-failure"
        default:
            draft.note("\(name): the restart policy \(Sentence.quoted(policy)) was left out")
            return nil
        }
    }

    private func probe(_ service: inout DraftService) {
        guard let check = fields.object("healthcheck"), check.bool("disable") != true,
            let words = check.texts("test"), let kind = words.first
        else { return }
        let rest = words.dropFirst().map(Dollars.unescaped)
        if kind == "CMD-SHELL", let text = rest.first, !text.isEmpty {
            service.ready = [JSON.Member("command", .string(text))]
        } else if kind == "CMD", rest.first?.isEmpty == false {
            service.ready = [JSON.Member("command", .array(rest.map { .string(Dollars.escaped($0)) }))]
        } else {
            return
        }
        let interval = check.text("interval").flatMap(GoDuration.milliseconds)
        if let interval, interval > 0 {
            service.ready.append(JSON.Member("interval", .string(GoDuration.text(interval))))
        }
        if let start = check.text("start_period").flatMap(GoDuration.milliseconds), start > 30_000 {
            service.ready.append(JSON.Member("timeout", .string(GoDuration.text(start))))
        }
        // How often it is tried, and how long each may take, is devmesh's own business.
        check.ignore("retries", "timeout", "start_interval", "start_period")
    }

    private func stop(_ draft: inout Draft) -> [JSON.Member] {
        var members: [JSON.Member] = []
        if let text = fields.text("stop_signal") {
            let signal = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
            if StopPolicy.linuxSignals[signal] != nil {
                members.append(JSON.Member("signal", .string(signal)))
            } else {
                draft.note("\(name): it is stopped by TERM, not by \(text)")
            }
        }
        if let grace = fields.text("stop_grace_period").flatMap(GoDuration.milliseconds) {
            members.append(JSON.Member("timeout", .string(GoDuration.text(grace))))
        }
        return members
    }
}

/// Durations as Go writes them, `1m30s`.
private enum GoDuration {
    static func milliseconds(_ text: String) -> Int? {
        var rest = Substring(text)
        var sum = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            let unit = rest.dropFirst(digits.count).prefix { !($0.isNumber || $0 == ".") }
            let factors: [Substring: Double] = [
                "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1, "us": 0.001, "µs": 0.001, "ns": 0.000_001,
            ]
            guard let number = Double(digits), let factor = factors[unit] else { return nil }
            sum += number * factor
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return sum < 86_400_000 ? Int(sum) : nil
    }

    /// As a manifest has it.
    static func text(_ milliseconds: Int) -> String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
