import Manifest
import Plan
import Platform
import Supervisor

/// What the manifest's commands need.
extension Doctor {
    /// The programs that `run` and `build` begin with, as far as they can be told, git where refs are checked out, and
    /// what runs containers.
    func programs(_ plan: Plan) -> [Finding] {
        var findings: [Finding] = []
        var found: Set<String> = []
        let maker = EnvironmentMaker(plan)
        for planned in plan.units where planned.service.checkout == nil {
            let service = planned.service
            guard service.run != nil || service.build != nil else { continue }
            let state = isNeeded(planned, plan) ? Finding.State.problem : .warning
            guard kernel.status(service.directory)?.kind == .directory else {
                findings.append(
                    Finding(
                        check: "programs", state: state, detail: Sentences.noFolder(service.directory, planned.name),
                        remedy: Sentences.mendFolder(service.directory)))
                continue
            }
            let environment = maker.environment(of: planned)
            for (key, command) in [("run", service.run), ("build", service.build)] {
                guard let name = command?.resolved({ environment[$0] }).program else { continue }
                do throws(Executable.Failure) {
                    _ = try Executable.find(
                        name, path: environment["PATH"], directory: service.directory, kernel: kernel)
                    if !name.contains("/") { found.insert(name) }
                } catch {
                    var state = state
                    if error == .notFound, name.contains("/") {
                        // The build is there to make it, or what comes before may be.
                        if key == "run", service.build != nil { continue }
                        if !service.dependsOn.isEmpty { state = .warning }
                    }
                    findings.append(
                        Finding(
                            check: "programs", state: state, detail: Sentences.noProgram(name, key, planned.name),
                            remedy: Sentences.unusable(name, error)))
                }
            }
        }
        if plan.units.contains(where: { $0.service.checkout != nil }) {
            findings.append(git(plan.inherited["PATH"]))
        }
        let contained = plan.units.filter { $0.service.container != nil }
        if !contained.isEmpty {
            let state = contained.contains { isNeeded($0, plan) } ? Finding.State.problem : .warning
            findings.append(containers(plan.inherited["PATH"], state))
        }
        if findings.allSatisfy({ $0.state == .ok }) {
            findings.insert(.ok("programs", Sentences.programs(found.sorted())), at: 0)
        }
        return findings
    }

    /// Whether `up` starts it.
    private func isNeeded(_ unit: ServicePlan, _ plan: Plan) -> Bool {
        switch plan.service(unit.serviceName)?.service.target {
        case .local: unit.name == unit.serviceName
        case .version(let name): unit.name == UnitName.of(unit.serviceName, version: name)
        case .remote, .git, nil: false
        }
    }

    /// - Parameter state: how bad it is where they can't be run.
    private func containers(_ path: String?, _ state: Finding.State) -> Finding {
        let found = Container.clients.lazy.compactMap { client in
            try? Executable.find(client, path: path, directory: directory, kernel: kernel)
        }.first
        guard let client = found else {
            return Finding(check: "containers", state: state, detail: Sentences.noClient, remedy: Sentences.mendClient)
        }
        let name = Path.name(client)
        let field = name == "podman" ? "{{.Version.Version}}" : "{{.ServerVersion}}"
        guard let version = Tool.firstLine(of: [client, "info", "--format", field], environment) else {
            return Finding(
                check: "containers", state: state, detail: Sentences.clientFails(name),
                remedy: Sentences.mendDaemon(name))
        }
        return .ok("containers", "\(name) \(version)")
    }

    private func git(_ path: String?) -> Finding {
        do throws(Executable.Failure) {
            let git = try Executable.find("git", path: path, directory: directory, kernel: kernel)
            guard let version = Tool.firstLine(of: [git, "--version"], environment) else {
                return .problem("git", Sentences.gitFails(git), Sentences.mendGit)
            }
            return .ok("git", version)
        } catch {
            return .problem("git", Sentences.noGit, Sentences.mendGit)
        }
    }
}

/// A program that is asked for its version.
enum Tool {
    private static let patience = Duration.seconds(5)

    /// The first line that it prints; nil where it fails or takes too long.
    static func firstLine(of arguments: [String], _ environment: [String: String]) -> String? {
        let request = SpawnRequest(path: arguments[0], arguments: arguments, environment: environment)
        guard let pipe = try? Kernel.real.pipe(),
            let pid = try? ChildTable.spawn(request, stdout: pipe.writer.raw)
        else { return nil }
        let reader = pipe.reader
        pipe.writer.close()
        let end = Instant.now + patience
        var bytes: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
            // A line is all that is wanted, and whatever it says later goes nowhere.
            while !bytes.contains(UInt8(ascii: "\n")), bytes.count < 1024,
                waitReadable(reader.raw, timeout: max(end - .now, .zero)),
                case .bytes(let count)? = try? Kernel.real.read(reader, into: buffer)
            {
                bytes.append(contentsOf: buffer[..<count])
            }
        }
        guard ChildTable.wait(pid, within: end - .now)?.isSuccess == true else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
    }
}
