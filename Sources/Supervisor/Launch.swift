import Manifest
import Platform

/// Turns a command of the manifest into a program to start.
enum Launch {
    /// - Parameters:
    ///   - key: of the manifest, as `run`, for the sentence that says what to mend.
    ///   - environment: whole; its `PATH` is where the program is looked for.
    static func request(
        _ command: Command, _ key: String, of service: Service, environment: [String: String], kernel: Kernel
    ) throws(LaunchFailure) -> SpawnRequest {
        guard kernel.status(service.directory)?.kind == .directory else {
            if let checkout = service.checkout {
                let folder = service.directory.dropFirst(checkout.worktree.utf8.count + 1)
                throw LaunchFailure(
                    sentence: "\(service.name) can't be started: there is no folder \(folder) in \(checkout.ref); use "
                        + "another ref, or mend `directory` in the manifest")
            }
            throw LaunchFailure(
                sentence: "\(service.name) can't be started: its folder \(service.directory) does not exist; "
                    + "create it, or mend `directory` in the manifest")
        }
        let arguments: [String]
        let path: String
        switch command.resolved({ environment[$0] }) {
        case .shell(let text):
            arguments = ["sh", "-c", ShellText.replacingShell(text)]
            path = "/bin/sh"
        case .argv(let words):
            arguments = words
            path = try find(words.first ?? "", key, of: service, path: environment["PATH"], kernel: kernel)
        }
        return SpawnRequest(path: path, arguments: arguments, environment: environment, directory: service.directory)
    }

    private static func find(_ name: String, _ key: String, of service: Service, path: String?, kernel: Kernel)
        throws(LaunchFailure) -> String
    {
        do throws(Executable.Failure) {
            return try Executable.find(name, path: path, directory: service.directory, kernel: kernel)
        } catch {
            let start = "\(service.name) can't be started: "
            switch error {
            case .notFound where name.contains("/"):
                let whole = Path.join(service.directory, name)
                throw LaunchFailure(sentence: start + "\(whole) does not exist; build it, or mend `\(key)`")
            case .notFound:
                throw LaunchFailure(
                    sentence: start + "there is no program \(name) on its PATH; install it, or mend `\(key)`")
            case .notExecutable(let file):
                throw LaunchFailure(
                    sentence: start + "\(file) is not executable; `chmod +x \(file)`, or mend `\(key)`")
            }
        }
    }

    /// What a failed spawn means.
    static func sentence(_ failure: SpawnFailure, _ request: SpawnRequest, of service: Service) -> String {
        let start = "\(service.name) can't be started: "
        switch failure.stage {
        case .directory: return start + "its folder \(service.directory) can't be entered: \(failure.error)"
        case .exec where failure.error == .noEntry:
            return start + "the interpreter that \(request.path) names in its first line does not exist; install it"
        case .exec: return start + "\(request.path) can't be executed: \(failure.error)"
        case .processors: return start + "its processors can't be limited: \(failure.error); leave out `limits.cpu`"
        case .fork where failure.error == .again: return start + Shortage.processes.explained
        case .stdio where service.hasTerminal && failure.error == .noSpace:
            return start + "no terminal for it: \(failure.error); raise the sysctl kernel.pty.max"
        case .fork, .stdio:
            return start + (Shortage(failure.error)?.explained ?? "\(failure.error); `ulimit -a` shows what is allowed")
        }
    }
}
