import JSON
import Platform
import Project

/// `devmesh ls`
enum LsCommand: Subcommand {
    static let spec = CommandSpec(
        name: "ls",
        abstract: "list the running meshes of all projects",
        group: .mesh,
        options: [.json],
        examples: [.init("devmesh ls", "what is up on this machine")])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let records = MeshRecord.all(try session.places())
        if arguments.has("json") {
            try session.output.line(MeshList.json(records).serialized())
        } else if records.isEmpty {
            try session.say(Sentences.noMeshes)
        } else {
            try session.output.show(MeshList.table(records, now: .now))
        }
        return 0
    }
}
