import JSON
import Manifest

extension ImportedManifest {
    /// Makes a manifest from process-compose's file, given as JSON.
    public static func processCompose(_ json: JSON, _ origin: ImportOrigin) throws(ImportError) -> ImportedManifest {
        let file = Fields(json)
        guard let processes = file.members("processes") else {
            throw .unexpected(source: origin.source, expected: "processes")
        }
        file.ignore("version")
        var draft = Draft(origin)
        let common = variables(file, in: nil, &draft)
        for process in processes {
            draft.services.append(ProcessComposeService(process, common: common).read(into: &draft))
        }
        draft.noteRest(of: file)
        if draft.services.contains(where: { $0.restart == nil }) {
            draft.note(
                "what process-compose leaves stopped when it fails is started again here; \"restart\": \"never\" changes that"
            )
        }
        return try draft.finished()
    }

    /// `environment`, a list of `NAME=value`.
    fileprivate static func variables(_ fields: Fields, in process: String?, _ draft: inout Draft) -> [(
        name: String, value: String
    )] {
        (fields.texts("environment") ?? []).compactMap { text in
            guard let equals = text.firstIndex(of: "=") else {
                let part = process.map { $0 + ": " } ?? ""
                draft.note("\(part)the variable \(Sentence.quoted(text)) was left out: it has no value")
                return nil
            }
            return (String(text[..<equals]), Dollars.template(String(text[equals...].dropFirst())))
        }
    }
}

/// One of its processes.
private struct ProcessComposeService {
    let name: String
    let fields: Fields
    let common: [(name: String, value: String)]

    init(_ member: JSON.Member, common: [(name: String, value: String)]) {
        name = member.name
        fields = Fields(member.value)
        self.common = common
    }

    func read(into draft: inout Draft) -> DraftService {
        var service = DraftService(name)
        let command = fields.text("command").map(Dollars.unescaped)
        let words = command == nil ? fields.texts("entrypoint") ?? [] : []
        if let first = words.first, !first.isEmpty {
            service.run = .array(words.map { .string(Dollars.template($0)) })
        } else {
            if command == nil { draft.note("\(name): it has no command; `run` is to be filled in") }
            service.run = .string(command ?? "false")
        }
        service.directory = draft.origin.directory(fields.text("working_dir") ?? ".", Dollars.template)
        service.comments = fields.text("description").map { [$0] } ?? []
        service.isDisabled = fields.bool("disabled") ?? false
        if service.isDisabled { service.comments.append("Disabled; take x- away to have it run.") }
        service.instances = fields.whole("replicas").flatMap { 2...1000 ~= $0 ? $0 : nil }
        let own = ImportedManifest.variables(fields, in: name, &draft)
        service.variables = common + own
        service.hasTerminal = fields.bool("is_tty") ?? false
        service.dependsOn = dependencies(&draft)
        service.restart = restart(&draft)
        service.stop = stop(&draft)
        if fields.bool("is_daemon") == true {
            draft.note(
                "\(name): is_daemon was left out: devmesh wants the program itself, so let it stay in the foreground")
        }
        listen(&service, command ?? words.joined(separator: " "), isTold: own.contains { $0.name == "PORT" })
        fields.ignore("namespace")
        draft.noteRest(of: fields, in: name)
        return service
    }

    private func dependencies(_ draft: inout Draft) -> [(name: String, condition: String)] {
        (fields.members("depends_on") ?? []).map { member in
            let dependency = Fields(member.value)
            let condition = dependency.text("condition") ?? "process_started"
            switch condition {
            case "process_started": return (member.name, "started")
            case "process_healthy", "process_log_ready": return (member.name, "ready")
            case "process_completed_successfully": return (member.name, "completed")
            case "process_completed":
                draft.note(
                    "\(name): it waits until \(member.name) has ended with 0; after another end process-compose would start "
                        + "it, too")
                return (member.name, "completed")
            default:
                draft.note("\(name): the condition \(Sentence.quoted(condition)) became \"started\"")
                return (member.name, "started")
            }
        }
    }

    private func restart(_ draft: inout Draft) -> String? {
        guard let availability = fields.object("availability") else { return nil }
        switch availability.text("restart") {
        case "no": return "never"
        case "always": return "always"
        case "on_failure": return "on-failure"
        case nil: return nil
        case let other?:
            draft.note("\(name): the restart policy \(Sentence.quoted(other)) became \"never\"")
            return "never"
        }
    }

    private func stop(_ draft: inout Draft) -> [JSON.Member] {
        guard let shutdown = fields.object("shutdown") else { return [] }
        var members: [JSON.Member] = []
        if let number = shutdown.whole("signal"), number != 15 {
            if let signal = StopPolicy.linuxSignals.first(where: { Int($0.value) == number })?.key {
                members.append(JSON.Member("signal", .string(signal)))
            } else {
                draft.note("\(name): it is stopped by TERM, not by signal \(number)")
            }
        }
        if shutdown.bool("parent_only") == true { members.append(JSON.Member("to", "leader")) }
        if let seconds = shutdown.whole("timeout_seconds"), 0...86400 ~= seconds {
            members.append(JSON.Member("timeout", .string("\(seconds)s")))
        }
        return members
    }

    // MARK: Probes, and the port that they name

    /// - Parameter isTold: whether it is told its port by `PORT`, and so listens on any.
    private func listen(_ service: inout DraftService, _ command: String, isTold: Bool) {
        var port: Int?
        if let ready = fields.object("readiness_probe") {
            service.ready = probe(ready, &port, isLive: false)
        } else if let line = fields.text("ready_log_line") {
            service.ready = [JSON.Member("log", .string(Self.pattern(for: line)))]
        }
        if let live = fields.object("liveness_probe") { service.live = probe(live, &port, isLive: true) }
        if isTold {
            service.variables.removeAll { $0.name == "PORT" }
            service.listens = .assigned
        } else if let port {
            service.listens = .fixed(port)
        } else if let listens = DraftService.Listening(of: command) {
            service.listens = listens
        } else {
            service.listens = .nowhere
            service.comments.append(DraftService.Listening.unsaid)
        }
    }

    /// - Parameter port: that of the probes before it, which this one has to share; set where it is the first.
    private func probe(_ fields: Fields, _ port: inout Int?, isLive: Bool) -> [JSON.Member] {
        var members: [JSON.Member] = []
        if let command = fields.object("exec")?.text("command") {
            members.append(JSON.Member("command", .string(Dollars.unescaped(command))))
        } else if let get = fields.object("http_get") {
            let (number, path) = (get.whole("port"), get.text("path") ?? "/")
            let isSound = path.hasPrefix("/") && path.utf8.allSatisfy { 0x21...0x7E ~= $0 }
            if isSound, let number, 1...65535 ~= number, port ?? number == number {
                port = number
                members.append(JSON.Member("http", .string(path)))
            }
        }
        guard !members.isEmpty else { return [] }
        if let seconds = fields.whole("period_seconds"), 1...86400 ~= seconds {
            members.append(JSON.Member("interval", .string("\(seconds)s")))
        }
        if isLive, let failures = fields.whole("failure_threshold"), 1...1000 ~= failures {
            members.append(JSON.Member("failures", .int(failures)))
        }
        return members
    }

    /// A regular expression that finds just that text.
    private static func pattern(for text: String) -> String {
        text.reduce(into: "") { result, character in
            if "\\^$.|?*+()[]{}".contains(character) { result.append("\\") }
            result.append(character)
        }
    }
}
