import JSON

/// What the top says of every service that says nothing itself.
struct ServiceDefaults {
    var logs: LogLimits
    var timeouts: Timeouts
    var retries: Retries
    var limits: Limits
}

/// Turns a checked text into the model: defaults, paths, environments. What is wrong with a value has been reported
/// by `ShapeChecker`; here it only counts as absent.
struct ManifestReader {
    let report: Report
    let folder: String
    let inherited: [String: String]
    let signals: [String: Int32]
    let readFile: (String) -> Result<[UInt8], FileFailure>
    let checkTLS: (Remote.TLS) -> TLSFileFault?

    private var expander: Expander { Expander(report: report) }

    func read(_ root: JSONSyntax, _ roster: Roster, path: String) -> Manifest {
        var scope = Scope(inherited: inherited)
        let trail = KeyTrail()
        let variables = variables(of: root, &scope, injected: roster.namesForAll, at: trail)
        let defaults = ServiceDefaults(
            logs: logs(root["logs"], default: LogLimits()), timeouts: timeouts(root["timeouts"], default: Timeouts()),
            retries: retries(root["retries"], default: Retries()), limits: limits(root["limits"], default: Limits()))
        let origins = Self.texts(root["origins"])
        let services = roster.entries.map { entry in
            var service = ServiceReader(
                reader: self, expander: expander, roster: roster, entry: entry,
                trail: trail.key("services").key(entry.name), topVariables: variables, topOrigins: origins)
            return service.read(scope: scope, defaults: defaults)
        }
        let folderName = folder.split(separator: "/").last.map(String.init) ?? "mesh"
        var manifest = Manifest(
            path: path, directory: folder, name: root["name"]?.string ?? folderName,
            firstPort: root["ports"]?["first"]?.wholeNumber, variables: variables, services: services)
        manifest.environmentFile = environmentFile(root).map(absolute)
        return manifest
    }

    /// As the manifest names it.
    func environmentFile(_ node: JSONSyntax) -> String? {
        node["envFile"]?.string.flatMap { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }
    }

    /// Reads `envFile`, then `env`, and puts them into the scope one by one: each may name those before it.
    func variables(
        of node: JSONSyntax, _ scope: inout Scope, injected: InjectedNames, at trail: KeyTrail
    ) -> [Variable] {
        var variables: [Variable] = []
        if let file = node["envFile"], let name = environmentFile(node) {
            for assignment in assignments(ofFile: name, file, at: trail.key("envFile")) {
                let source = Variable.Source.file(path: absolute(name), line: assignment.line)
                variables.append(
                    Variable(name: assignment.name, value: assignment.value, source: source, isSecret: true))
                scope.set(assignment.name, assignment.value, isSecret: true)
            }
        }
        let members = node["env"]?.members ?? []
        var later = Set(members.map(\.name))
        for member in members {
            let memberTrail = trail.key("env").key(member.name)
            if Injected.isReserved(member.name) {
                report.error(.injectedVariable(member.name), at: member.nameOffset, memberTrail)
            }
            later.remove(member.name)
            let value = expander.expand(member.value, scope, injected: injected, later: later, at: memberTrail)
            var variable = Variable(
                name: member.name, value: value?.text ?? "", source: .manifest(report.position(at: member.nameOffset)))
            if Secrets.isSecretName(member.name) || value?.secrets.isEmpty == false {
                variable.secrecy = .whole
            } else if Secrets.holdsPassword(variable.value) {
                variable.secrecy = .passwords
            }
            // Also without a value it counts as set, so that one error does not bring others.
            scope.set(variable.name, variable.value, isSecret: variable.isSecret)
            variables.append(variable)
        }
        return variables
    }

    private func assignments(
        ofFile name: String, _ node: JSONSyntax, at trail: KeyTrail
    ) -> [EnvironmentFile.Assignment] {
        switch readFile(absolute(name)) {
        case .failure(let failure):
            report.error(.unreadableFile(name, failure.reason), at: node.offset, trail)
            return []
        case .success(let bytes):
            let file = EnvironmentFile(parsing: bytes)
            for fault in file.faults { report.error(fault.sentence, in: name, position: fault.position, trail) }
            for assignment in file.assignments where Injected.isReserved(assignment.name) {
                // Other tools that read the same file may need their port there.
                let isPort = assignment.name == "PORT"
                report.add(
                    isPort ? .warning : .error, isPort ? .portInFile : .injectedVariable(assignment.name), file: name,
                    position: Position(line: assignment.line, column: 1), trail.key(assignment.name))
            }
            return file.assignments.filter { !Injected.isReserved($0.name) }
        }
    }

    static func texts(_ node: JSONSyntax?) -> [String] { node?.elements?.compactMap(\.string) ?? [] }

    func logs(_ node: JSONSyntax?, default standard: LogLimits) -> LogLimits {
        guard let size = node?["size"] else { return standard }
        return LogLimits(size: self.size(size) ?? standard.size)
    }

    /// A path relative to the manifest's folder, without `./` and slashes at the end.
    func absolute(_ path: String) -> String {
        var rest = Substring(path)
        while rest.hasPrefix("./") {
            rest = rest.dropFirst(2)
            while rest.first == "/" { rest = rest.dropFirst() }
        }
        while rest.count > 1, rest.last == "/" { rest = rest.dropLast() }
        if rest.isEmpty || rest == "." { return folder }
        if rest.first == "/" { return String(rest) }
        return folder == "/" ? "/\(rest)" : "\(folder)/\(rest)"
    }
}
