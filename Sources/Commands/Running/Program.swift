import Platform
import Supervisor

/// A program that takes this one's place (`exec`, `run`), as env(1) does it.
struct Program {
    /// The program and its arguments.
    var commandLine: [String]
    var environment: [String: String]
    /// Where it runs; nil: here.
    var directory: String?

    /// What env(1) returns where there is no such program, or none that can be executed.
    static let notFound: Int32 = 127
    static let notExecutable: Int32 = 126

    /// Becomes that program. Returns the exit code only where that failed, having said why.
    func execute(in session: Session) throws(CommandFailure) -> Int32 {
        let here = directory ?? session.directory
        let path: String
        do throws(Executable.Failure) {
            path = try Executable.find(commandLine[0], path: environment["PATH"], directory: here)
        } catch {
            try session.complain(Sentences.unusable(commandLine[0], error))
            return error == .notFound ? Program.notFound : Program.notExecutable
        }
        let error = ThisProcess.execute(path, arguments: commandLine, environment: environment, directory: directory)
        try session.complain(Sentences.cannotExecute(path, error))
        return Program.notExecutable
    }

    /// Runs it beside a mesh that this process is, and waits for it: no program of the mesh's, it may outlive that.
    func runAside() throws(CommandFailure) {
        var environment = environment
        environment[Supervisor.markerName] = Supervisor.asideMarker
        let path: String
        do throws(Executable.Failure) {
            path = try Executable.find(commandLine[0], path: environment["PATH"], directory: directory ?? "/")
        } catch { throw .failed(Sentences.unusable(commandLine[0], error)) }
        do throws(SpawnFailure) {
            var request = SpawnRequest(path: path, arguments: commandLine, environment: environment)
            request.leavesGroup = true
            _ = ChildTable.wait(try ChildTable.spawn(request))
        } catch { throw .failed(Sentences.cannotExecute(path, error.error)) }
    }
}
