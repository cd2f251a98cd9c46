import JSON
import Manifest
import Platform

/// Containers that a mesh leaves behind when it does not end in order: they are nobody's children. A file that is there
/// while it may have some names the program that they were started by.
public enum LeftContainers {
    /// How long a daemon that does not answer is waited for.
    private static let patience = Duration.seconds(10)

    private static func file(_ project: LocatedProject) -> String { project.stateFolder + "/containers.json" }

    /// To be called before the first is started.
    /// - Parameter environment: what the program goes by, such as `DOCKER_HOST`.
    public static func note(
        client: String, environment: [String: String], of project: LocatedProject, kernel: Kernel = .real
    ) {
        let members = environment.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        let json: JSON = ["client": .string(client), "environment": .object(members)]
        // Without it they are still taken away in order.
        try? kernel.replaceFile(file(project), with: Array(json.serialized().utf8), isDurable: false)
    }

    /// Whether there may be some.
    public static func areNoted(of project: LocatedProject, kernel: Kernel = .real) -> Bool {
        kernel.status(file(project)) != nil
    }

    /// There are none any more.
    public static func forget(_ project: LocatedProject, kernel: Kernel = .real) { try? kernel.remove(file(project)) }

    /// Takes away what is left; for the holder of the project's lease while nothing of it runs. Waits until that is done.
    /// - Parameter onDelay: called where that takes longer than a moment: by which program, and how long at most.
    /// - Returns: false where it could not be done.
    public static func remove(
        of project: LocatedProject, kernel: Kernel = .real,
        onDelay: (_ client: String, _ patience: Duration) -> Void = { _, _ in }
    ) -> Bool {
        guard let bytes = try? kernel.readFile(file(project)) else { return true }
        guard let json = try? JSON(parsing: bytes), let client = json["client"]?.stringValue else { return false }
        // The daemon that they were started by, wherever today's is.
        var environment = ThisProcess.environment.filter { !Container.isClients($0.key) }
        for member in json["environment"]?.objectValue ?? [] { environment[member.name] = member.value.stringValue }
        let words = Container.removal(ofProject: project.hash, client: client)
        let request = SpawnRequest(path: words[0], arguments: words, environment: environment, directory: "/")
        guard let pid = try? ChildTable.spawn(request, kernel: kernel),
            ChildTable.wait(pid, within: patience, onDelay: { onDelay(Path.name(client), patience) })?.isSuccess == true
        else { return false }
        forget(project, kernel: kernel)
        return true
    }
}
