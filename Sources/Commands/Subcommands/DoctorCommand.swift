import JSON

/// `devmesh doctor`
enum DoctorCommand: Subcommand {
    static let spec = CommandSpec(
        name: "doctor",
        abstract: "look for what stands in the way, and say how to mend it",
        group: .tool,
        details: """
            Looks at the machine's limits, this project's ports, what dead meshes have left, disk space, the programs that \
            the manifest needs, and TLS; works without a manifest and without a mesh, and starts nothing of the \
            manifest's. Exits 1 where it finds a problem; a warning is none.
            """,
        options: [.flag("network", "also ask for the addresses of remotes, and connect to them"), .json],
        examples: [
            .init("devmesh doctor", "before the first `up`, or when something is odd"),
            .init("devmesh doctor --json | jq -r '.[] | select(.state != \"ok\").remedy'", "just what to do"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let doctor = Doctor(
            environment: session.environment, directory: session.directory, file: session.file,
            usesNetwork: arguments.has("network"))
        let findings = doctor.findings()
        let output = session.output
        if arguments.has("json") {
            try output.line(JSON.array(findings.map(\.json)).serialized())
        } else {
            try output.lines(FindingsText.lines(findings, width: output.width, colours: output.colours))
            try output.line(FindingsText.summary(findings))
        }
        return findings.contains { $0.state == .problem } ? ExitCode.failed.rawValue : 0
    }
}
