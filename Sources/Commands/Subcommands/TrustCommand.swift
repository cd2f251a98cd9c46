import JSON
import Platform
import Project

/// `devmesh trust`
enum TrustCommand: Subcommand {
    static let spec = CommandSpec(
        name: "trust",
        abstract: "make a certificate authority for https at the gateway",
        group: .tool,
        details: """
            Makes the authority, for this user and once, and says how programs are made to trust it; nothing is made to \
            trust it by itself. From then on the gateway of every mesh speaks https, too, on the same port, with a \
            certificate for each name that it is asked for. The authority can issue for localhost and names under it, \
            for .test, .example, .internal and .local, and for no others. Remove its two files to be rid of it.
            """,
        options: [.json],
        examples: [
            .init("devmesh trust", "make it, and see how to trust it"),
            .init("curl --cacert \"$(devmesh trust --json | jq -r .certificate)\" https://localhost:20000/", "use it"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let places = try session.places()
        let isNew = try session.attempt { () throws(ProjectError) in try places.makeAuthority() }
        let files = places.authority
        if arguments.has("json") {
            let document: JSON = [
                "certificate": .string(files.certificate), "key": .string(files.key), "new": .bool(isNew),
            ]
            try session.output.line(document.serialized())
        } else {
            try session.output.line(Sentences.trust(files, isNew: isNew))
        }
        return 0
    }
}
