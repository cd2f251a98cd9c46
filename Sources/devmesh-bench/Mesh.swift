import JSON
import Platform

/// A mesh in a folder of its own, with a registry of its own, so that the user's meshes are left alone.
final class Mesh {
    let folder: String
    let services: [String]
    /// Where each service's front is.
    private(set) var fronts: [String: Int] = [:]
    /// `devmesh up`, once started.
    private(set) var supervisor: Program?

    private let options: Options
    private let environment: [String: String]
    private var errors: String { folder + "/errors.txt" }

    /// Writes a manifest in which each service runs that command.
    init(_ options: Options, services: [String], run: [String], extra: [JSON.Member] = []) throws(Malfunction) {
        self.options = options
        self.services = services
        let here = ThisProcess.environment["TMPDIR"] ?? "/tmp"
        let folder = "\(here)/devmesh-bench-\(ThisProcess.id)-\(UInt32.random(in: 0 ... .max))"
        self.folder = folder
        var environment = ThisProcess.environment
        environment["XDG_STATE_HOME"] = folder + "/state"
        environment["XDG_RUNTIME_DIR"] = folder + "/run"
        environment["DEVMESH_FILE"] = nil
        self.environment = environment

        let command = JSON.array(run.map { .string($0) })
        let entry = JSON.object([.init("run", command), .init("uses", [])] + extra)
        let entries = services.map { JSON.Member($0, entry) }
        let manifest: JSON = ["services": .object(entries)]
        try attempt("can't write to \(folder)") { () throws(Errno) in
            try Kernel.real.makeDirectory(folder + "/run")
            let file = try Kernel.real.open(folder + "/services.json", .createNew)
            try Kernel.real.writeAll(file, manifest.pretty())
        }
        for entry in try json(["ports", "--json"]).arrayValue ?? [] where entry["kind"]?.stringValue == "front" {
            if let name = entry["service"]?.stringValue, let port = entry["port"]?.intValue { fronts[name] = port }
        }
        let wanted = extra.contains(.init("listens", false)) ? 0 : services.count
        if fronts.count != wanted { throw Malfunction("'devmesh ports --json' doesn't list every front") }
    }

    deinit {
        // Only after a malfunction is there anything to end; what still lives would write into the folder again.
        supervisor?.end()
        Kernel.real.removeTree(folder)
    }

    /// Starts `devmesh up` and returns at once.
    func up(stdout: Program.Output = .null) throws(Malfunction) -> Program {
        let program = try Program(
            [options.devmesh, "up"], environment: environment, directory: folder, stdout: stdout,
            stderr: .file(errors))
        supervisor = program
        return program
    }

    /// Starts `devmesh up` and waits until each service has answered.
    func upUntilAllAnswer(stdout: Program.Output = .null) throws(Malfunction) {
        let program = try up(stdout: stdout)
        do throws(Malfunction) {
            var requests: [Client.Pending] = []
            for service in services { requests.append(try Client.Pending(fronts[service]!, of: program)) }
            for request in requests { try request.finish() }
        } catch { throw Malfunction("\(error.reason)\(said)") }
    }

    /// A command in the mesh's folder.
    func start(_ arguments: [String], stdout: Program.Output = .null) throws(Malfunction) -> Program {
        try Program(
            [options.devmesh] + arguments, environment: environment, directory: folder, stdout: stdout,
            stderr: .file(errors))
    }

    /// A command that must succeed.
    func run(_ arguments: [String], stdout: Program.Output = .null) throws(Malfunction) {
        let status = try start(arguments, stdout: stdout).wait()
        if !status.isSuccess {
            throw Malfunction("'devmesh \(arguments.joined(separator: " "))' ended with \(status)\(said)")
        }
    }

    /// The same of a command that ends with 3 as long as no mesh is up.
    func runWhenUp(_ arguments: [String]) throws(Malfunction) {
        while true {
            let status = try start(arguments).wait()
            switch status {
            case .exited(0): return
            case .exited(3) where supervisor?.hasEnded == false: pause(.milliseconds(5))
            default: throw Malfunction("'devmesh \(arguments.joined(separator: " "))' ended with \(status)\(said)")
            }
        }
    }

    func json(_ arguments: [String]) throws(Malfunction) -> JSON {
        let file = "\(folder)/output-\(UInt32.random(in: 0 ... .max)).json"
        try run(arguments, stdout: .file(file))
        let bytes = try attempt("can't read \(file)") { () throws(Errno) in try Kernel.real.readFile(file) }
        do throws(JSONError) { return try JSON(parsing: bytes) } catch {
            throw Malfunction("'devmesh \(arguments.joined(separator: " "))' printed what is not JSON: \(error)")
        }
    }

    /// Stops everything; must be called before the last reference goes.
    func down() throws(Malfunction) {
        guard let supervisor else { return }
        try run(["down"])
        supervisor.wait()
    }

    /// What devmesh said on stderr, for messages.
    private var said: String {
        let text = String(decoding: (try? Kernel.real.readFile(errors)) ?? [], as: UTF8.self)
        return text.isEmpty ? "" : "; devmesh said: \(text.suffix(2000))"
    }
}
