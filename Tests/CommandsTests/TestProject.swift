import TestSupport

/// A project in a folder of its own, with a home, a state folder and a runtime folder that nobody else has.
struct TestProject {
    let folder = TemporaryFolder()

    init(_ manifest: String? = nil) {
        if let manifest { folder.write("services.json", manifest) }
        folder.write("home/.keep", "")
        folder.write("run/.keep", "")
    }

    var environment: [String: String] {
        [
            "HOME": folder.path + "/home", "XDG_STATE_HOME": folder.path + "/state",
            "XDG_RUNTIME_DIR": folder.path + "/run",
        ]
    }

    /// Runs `devmesh` with these words in the project's folder.
    func devmesh(_ words: String..., environment more: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess.run(
            ChildProcess.devmesh, words, in: folder.path,
            environment: environment.merging(more) { $1 })
    }

    /// Runs a line of shell there, where `devmesh` is the built one.
    func shell(_ line: String) throws -> ChildProcess {
        try ChildProcess.shell(line, in: folder.path, environment: environment)
    }
}
