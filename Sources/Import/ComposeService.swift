import JSON
import Manifest

/// A service of a compose file.
struct ComposeService {
    let name: String
    private let fields: Fields
    private let deploy: Fields?
    private let volumes: [JSON.Member]
    private let project: String
    private let isOptional: Bool

    /// - Parameter isOptional: whether compose starts it only when asked to.
    init(_ member: JSON.Member, volumes: [JSON.Member], project: String, isOptional: Bool) {
        name = member.name
        fields = Fields(member.value)
        deploy = fields.object("deploy")
        self.volumes = volumes
        self.project = project
        self.isOptional = isOptional
    }

    /// Whether its entry has the short forms that people write, and that `docker compose config` puts in full.
    static func isUnresolved(_ entry: JSON) -> Bool {
        let isList = { (key: String) in entry[key]?.arrayValue?.isEmpty == false }
        let isText = { (value: JSON?) in value?.stringValue != nil }
        return isText(entry["build"]) || isText(entry["command"]) || isText(entry["entrypoint"])
            || isText(entry["healthcheck"]?["test"]) || isText(entry["env_file"]) || entry["extends"] != nil
            || isList("environment") || isList("depends_on") || isList("networks")
            || ["ports", "volumes"].contains { entry[$0]?.arrayValue?.contains { $0.plainText != nil } == true }
    }

    func read(into draft: inout Draft) -> DraftService {
        var service = DraftService(name)
        let image = self.image(&service, &draft)
        service.container = [JSON.Member("image", .string(Dollars.escaped(image)))]
        listen(&service, &draft)
        let mounts = mounts(&draft)
        if !mounts.isEmpty { service.container.append(JSON.Member("volumes", .array(mounts.map { .string($0) }))) }
        for key in ["entrypoint", "command"] {
            guard let words = fields.texts(key), !words.isEmpty else { continue }
            service.container.append(JSON.Member(key, .array(words.map { .string(Self.escaped($0)) })))
        }
        if let folder = fields.text("working_dir") {
            if folder.hasPrefix("/") {
                service.container.append(JSON.Member("directory", .string(Self.escaped(folder))))
            } else {
                draft.note("\(name): working_dir was left out: it does not begin with /")
            }
        }
        if let user = fields.text("user") { service.container.append(JSON.Member("user", .string(Self.escaped(user)))) }
        service.variables = (fields.members("environment") ?? []).map { member in
            // Without a value it is the caller's own.
            (member.name, member.value.plainText.map(Self.escaped) ?? "${\(member.name):-}")
        }
        dependencies(&service, &draft)
        service.restart = restart(&draft)
        probe(&service, &draft)
        service.hasTerminal = fields.bool("tty") ?? false
        limit(&service, &draft)
        service.stop = stop(&draft)
        let replicas = deploy?.whole("replicas") ?? fields.whole("scale")
        service.instances = replicas.flatMap { 2...1000 ~= $0 ? $0 : nil }
        let profiles = fields.texts("profiles") ?? []
        if replicas == 0 {
            service.comments.append("Scaled to 0; take x- away to have it run.")
        } else if isOptional {
            service.comments.append(
                "Of the profile \(Sentence.alternatives(profiles, "or")); take x- away to have it run.")
        }
        service.isDisabled = replicas == 0 || isOptional
        otherNames(&service, &draft)
        fields.ignore("hostname", "init")
        if service.hasTerminal { fields.ignore("stdin_open") }
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
        var words = [draft.origin.imageBuilder, "build", "--tag", image]
        if let file = build.text("dockerfile"), file != "Dockerfile" { words += ["--file", file] }
        if let target = build.text("target") { words += ["--target", target] }
        for argument in build.members("args") ?? [] where !argument.name.utf8.contains(0) {
            words += ["--build-arg", argument.name + (argument.value.plainText.map { "=" + $0 } ?? "")]
        }
        service.build = .array((words + [isElsewhere ? context : "."]).map { .string(Self.escaped($0)) })
        return image
    }

    /// Paths of this machine as seen from the manifest, volumes by the names that docker has for them, and those that have
    /// none by their place alone.
    private func mounts(_ draft: inout Draft) -> [String] {
        (fields.array("volumes") ?? []).compactMap { value in
            let mount = Fields(value)
            let (type, target) = (mount.text("type"), mount.text("target") ?? "")
            let named = mount.text("source")
            let source: String? =
                switch type {
                case "bind":
                    named.map { draft.origin.path($0) }.map { $0 == "." || $0.hasPrefix("/") ? $0 : "./" + $0 }
                case "volume":
                    named.map { name in Fields(volumes.last { $0.name == name }?.value).text("name") ?? name }
                default: nil
                }
            let isReadOnly = mount.bool("read_only") == true
            mount.object("bind")?.ignore("create_host_path")
            draft.noteRest(of: mount, in: "\(name): mount of \(target)")
            let text = [source, target].compactMap { $0 }.joined(separator: ":") + (isReadOnly ? ":ro" : "")
            let isSound = source.map { !$0.isEmpty && !$0.contains(":") && !$0.hasPrefix("-") }
            guard target.hasPrefix("/"), isSound ?? (type == "volume" && !target.contains(":") && !isReadOnly) else {
                draft.note(
                    "\(name): the mount of \(Sentence.quoted(target)) was left out: it is neither a path nor a volume")
                return nil
            }
            return Self.escaped(text)
        }
    }

    // MARK: On the network

    private func listen(_ service: inout DraftService, _ draft: inout Draft) {
        for value in fields.array("ports") ?? [] {
            let port = Fields(value)
            if let inside = port.whole("target"), 1...65535 ~= inside, port.text("protocol") ?? "tcp" == "tcp" {
                service.ports.append((inside, port.whole("published")))
                port.ignore("mode", "name")
                draft.noteRest(of: port, in: "\(name): port \(inside)")
            } else {
                draft.note("\(name): the port \(value.serialized()) was left out: it is not one of TCP")
            }
        }
        for text in fields.texts("expose") ?? [] {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard let port = Int(parts[0]), 1...65535 ~= port, parts.dropFirst().allSatisfy({ $0 == "tcp" }) else {
                draft.note("\(name): the port \(Sentence.quoted(text)) was left out: it is not one of TCP")
                continue
            }
            if !service.ports.contains(where: { $0.inside == port }) { service.ports.append((port, nil)) }
        }
    }

    /// By what else it is called, and calls others.
    private func otherNames(_ service: inout DraftService, _ draft: inout Draft) {
        if let name = fields.text("container_name") { service.aliases.append(name) }
        let networks = fields.members("networks") ?? []
        for network in networks {
            let settings = Fields(network.value)
            service.aliases += settings.texts("aliases") ?? []
            draft.noteRest(of: settings, in: "\(name): network \(network.name)")
        }
        if !networks.allSatisfy({ $0.name == "default" }) { draft.note("\(name): not carried over: networks") }
        for link in fields.texts("links") ?? [] {
            let parts = link.split(separator: ":", maxSplits: 1).map(String.init)
            if parts.count == 2 { service.links.append((parts[0], parts[1])) }
        }
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

    /// What it may use; here by whole processors.
    private func limit(_ service: inout DraftService, _ draft: inout Draft) {
        let limits = deploy?.object("resources")?.object("limits")
        let memory = limits?.whole("memory") ?? fields.whole("mem_limit")
        if let megabytes = memory.map({ ($0 + (1 << 20) - 1) >> 20 }), 1..<1_000_000_000 ~= megabytes {
            service.limits.append(JSON.Member("memory", .string("\(megabytes)MB")))
        }
        guard let text = limits?.text("cpus") ?? fields.text("cpus"), let count = Double(text), 0 < count, count <= 1024
        else { return }
        let whole = Double(Int(count)) == count ? Int(count) : Int(count) + 1
        service.limits.append(JSON.Member("cpu", .int(whole)))
        if Double(whole) != count {
            draft.note("\(name): `limits.cpu` is a whole number, and so \(whole), not \(text)")
        }
    }

    /// A duration, in milliseconds.
    private func duration(_ key: String, of fields: Fields, _ draft: inout Draft) -> Int? {
        guard let text = fields.text(key) else { return nil }
        if let milliseconds = GoDuration.milliseconds(text) { return milliseconds }
        draft.note("\(name): \(key) was left out: \(Sentence.quoted(text)) is no duration below 24h")
        return nil
    }

    private func probe(_ service: inout DraftService, _ draft: inout Draft) {
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
        if let interval = duration("interval", of: check, &draft), interval > 0 {
            service.ready.append(JSON.Member("interval", .string(GoDuration.text(interval))))
        }
        if let start = duration("start_period", of: check, &draft), start > 30_000 {
            service.ready.append(JSON.Member("timeout", .string(GoDuration.text(start))))
        }
        // How often it is tried, and how long each may take, is devmesh's own business.
        check.ignore("retries", "timeout", "start_interval")
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
        if let grace = duration("stop_grace_period", of: fields, &draft) {
            members.append(JSON.Member("timeout", .string(GoDuration.text(grace))))
        }
        return members
    }
}
