import JSON
import Manifest

extension ImportedManifest {
    /// Makes a manifest from what `docker compose config --format json` prints.
    public static func compose(_ json: JSON, _ origin: ImportOrigin) throws(ImportError) -> ImportedManifest {
        let file = Fields(json)
        guard let members = file.members("services") else {
            throw .unexpected(source: origin.source, expected: "services")
        }
        guard !members.contains(where: { ComposeService.isUnresolved($0.value) }) else {
            throw .unresolved(source: origin.source)
        }
        var draft = Draft(origin)
        let project = file.text("name")
        draft.name = project.flatMap { $0.utf8.count <= 100 && ServiceNaming.isPlain($0) ? $0 : nil }
        let volumes = file.members("volumes") ?? []
        let optional = optionalServices(members)
        let services = members.map { member in
            ComposeService(
                member, volumes: volumes, project: draft.name ?? "app", isOptional: optional.contains(member.name))
        }
        draft.services = services.map { $0.read(into: &draft) }
        draft.shareBuilds()
        // A network that compose makes by itself says nothing.
        if file.members("networks")?.allSatisfy({ $0.name == "default" }) == false {
            draft.note("not carried over: networks")
        }
        for volume in volumes {
            let fields = Fields(volume.value)
            fields.ignore("name", "external")
            draft.noteRest(of: fields, in: "volume \(volume.name)")
        }
        draft.noteRest(of: file)
        if draft.services.contains(where: { $0.restart == nil }) {
            draft.note(
                "what compose leaves stopped when it fails is started again here; \"restart\": \"never\" changes that")
        }
        return try draft.finished()
    }

    /// The services of profiles, which compose starts when asked to, but for those that others wait for.
    private static func optionalServices(_ members: [JSON.Member]) -> Set<String> {
        let hasProfile = { (service: JSON) in service["profiles"]?.arrayValue?.isEmpty == false }
        var optional = Set(members.filter { hasProfile($0.value) }.map(\.name))
        var needed = members.filter { !hasProfile($0.value) }
        while let service = needed.popLast() {
            for dependency in service.value["depends_on"]?.objectValue ?? [] {
                if optional.remove(dependency.name) != nil { needed += members.filter { $0.name == dependency.name } }
            }
        }
        return optional
    }
}

extension Draft {
    /// Compose builds every image before it starts anything. Here each service builds its own: where several run from
    /// one image, all do, and docker does it once.
    fileprivate mutating func shareBuilds() {
        for service in services where service.build != nil {
            for index in services.indices
            where services[index].build == nil && services[index].image == service.image {
                services[index].build = service.build
                services[index].directory = service.directory
            }
        }
    }
}

extension DraftService {
    fileprivate var image: JSON? { container.first { $0.name == "image" }?.value }
}
