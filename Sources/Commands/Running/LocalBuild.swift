import Manifest
import Plan
import Platform

/// A service's build command run here, with its output on this terminal: what `build` does where no mesh is up.
struct LocalBuild {
    var plan: Plan
    var service: ServicePlan

    /// Whether it succeeded; what failed has been said.
    func run(in session: Session) throws(CommandFailure) -> Bool {
        guard let build = service.service.build else {
            try session.say(Sentences.nothingToBuild(service.name))
            return true
        }
        let environment = plan.environment(of: service)
        let arguments: [String]
        switch build.resolved({ environment[$0] }) {
        case .shell(let line): arguments = ["/bin/sh", "-c", line]
        case .argv(let words): arguments = words
        }
        let status = try spawn(arguments, environment.values, in: session)
        if let status, !status.isSuccess {
            try session.complain(Sentences.buildFailed(service.name, status.description))
        }
        return status?.isSuccess ?? false
    }

    /// Runs a program to its end; nil where it could not be started, which has been said.
    private func spawn(_ arguments: [String], _ environment: [String: String], in session: Session)
        throws(CommandFailure) -> ExitStatus?
    {
        let directory = service.service.directory
        do {
            let path = try Executable.find(arguments[0], path: environment["PATH"], directory: directory)
            let request = SpawnRequest(
                path: path, arguments: arguments, environment: environment, directory: directory, newSession: false)
            return ChildTable.wait(try ChildTable.spawn(request, stdin: 0, stdout: 1, stderr: 2))
        } catch Executable.Failure.notFound {
            try session.complain(Sentences.notFound(arguments[0]))
        } catch Executable.Failure.notExecutable(let path) {
            try session.complain(Sentences.notExecutable(path))
        } catch let failure as SpawnFailure where failure.stage == .directory {
            try session.complain(Sentences.noDirectory(directory, of: service.name))
        } catch let failure as SpawnFailure {
            try session.complain(Sentences.cannotExecute(arguments[0], failure.error))
        } catch {
            try session.complain("\(error)")
        }
        return nil
    }
}
