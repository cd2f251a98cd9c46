import Control
import Manifest
import Plan
import Platform
import Project

/// What a command has to work with: where it was called, by whom, and the project that it means. Nothing is looked up
/// before it is asked for.
struct Session {
    var environment: [String: String]
    /// The current folder.
    var directory: String
    /// What `-f` says.
    var file: String?
    var output: Output
    var notices: Output

    /// Says on standard output what was done.
    func say(_ sentence: String) throws(CommandFailure) { try output.line(sentence) }

    /// Says on standard error what went wrong, where the command goes on nevertheless.
    func complain(_ sentence: String) throws(CommandFailure) { try notices.line("devmesh: " + sentence) }

    // MARK: The project

    func project() throws(CommandFailure) -> LocatedProject {
        do throws(ProjectError) {
            return try Locator(currentDirectory: directory, environment: environment).locate(file: file)
        } catch .noManifest(let folder) {
            throw .noProject(ProjectError.noManifest(folder: folder).description)
        } catch { throw .failed(error.description) }
    }

    func places() throws(CommandFailure) -> Places {
        try attempt { () throws(ProjectError) in try Places(environment: environment) }
    }

    /// The manifest's plan, with ports given where they were not yet.
    func planned() throws(CommandFailure) -> LocatedProject.Planned {
        let project = try project()
        let manifest = try manifest()
        let places = try places()
        let planned = try attempt { () throws(ProjectError) in
            try project.plan(manifest, environment: environment, places: places)
        }
        if let note = planned.note { try complain(note) }
        return planned
    }

    func plan() throws(CommandFailure) -> Plan { try planned().plan }

    // MARK: The mesh

    /// The mesh of the project; exit code 3 where none is up, also for want of a project.
    func mesh() throws(CommandFailure) -> RunningMesh {
        do throws(CommandFailure) {
            if let mesh = try meshIfUp() { return mesh }
            throw .noMesh(Sentences.noMesh(try project().manifest))
        } catch .noProject(let sentence) { throw .noMesh(sentence) }
    }

    func meshIfUp() throws(CommandFailure) -> RunningMesh? {
        let project = try project()
        return MeshRecord.find(project, places: try places()).map { RunningMesh(record: $0) }
    }

    // MARK: Services

    /// What one instance of a service has around it: as the mesh has it, or as it would be were one up.
    func surroundings(of name: String) throws(CommandFailure) -> ServiceEnvironment {
        if let mesh = try meshIfUp() {
            return try mesh.ask { (client) throws(ControlError) in try client.environment(of: name) }
        }
        let planned = try planned()
        let service = try units([name], of: planned.plan)[0]
        let ports = PrivatePorts(avoiding: planned.claimedPorts)
        let environment = planned.plan.environment(of: service, privatePort: ports.take(), isInside: false)
        return ServiceEnvironment(env: environment.values, directory: service.service.directory)
    }

    /// What `names` mean where no mesh is up: of a service what serves it at first, or one of its versions.
    func units(_ names: [String], of plan: Plan) throws(CommandFailure) -> [ServicePlan] {
        try choose(names, among: plan.units) { $0.name }.map { unit in
            let isNamed = names.contains { $0.lowercased() == unit.name.lowercased() }
            guard isNamed, case .version(let name) = unit.service.target else { return unit }
            return unit.version(name) ?? unit
        }
    }

    /// Those of `all` that `names` names, without regard to case and in the order of `all`; all where none is named.
    func choose<Element>(_ names: [String], among all: [Element], name: (Element) -> String) throws(CommandFailure)
        -> [Element]
    {
        if names.isEmpty { return all }
        let known = Set(all.map { name($0).lowercased() })
        for wanted in names where !known.contains(wanted.lowercased()) {
            throw .failed(Sentences.unknownService(wanted, among: all.map(name)))
        }
        let wanted = Set(names.map { $0.lowercased() })
        return all.filter { wanted.contains(name($0).lowercased()) }
    }

    // MARK: Errors

    func usage<Value>(_ body: () throws(UsageError) -> Value) throws(CommandFailure) -> Value {
        do { return try body() } catch { throw .usage(error) }
    }

    func attempt<Value>(_ body: () throws(ProjectError) -> Value) throws(CommandFailure) -> Value {
        do { return try body() } catch { throw .failed(error.description) }
    }
}
