import Manifest
import Plan

/// A manifest for tests; the real path is `/src/FOLDER/services.json`.
func manifest(
    _ services: [Service], folder: String = "newsroom", name: String? = nil, firstPort: Int? = nil,
    variables: [Variable] = []
) -> Manifest {
    Manifest(
        path: "/src/\(folder)/services.json", directory: "/src/\(folder)", name: name ?? folder, firstPort: firstPort,
        variables: variables, services: services)
}

func service(
    _ name: String, uses: [String]? = nil, dependsOn: [String] = [], listens: Listens = .assigned, port: Int? = nil,
    run: Command? = .shell("run"), remote: Bool = false, target: Target = .local, variables: [Variable] = [],
    fingerprint: String = "1"
) -> Service {
    let url = Remote(scheme: .http, host: "m", port: 80, hostHeader: "m", url: "http://m")
    return Service(
        name: name, directory: "/src", run: run, variables: variables, uses: uses?.map { Use(service: $0) },
        dependsOn: dependsOn.map { Dependency(service: $0, condition: .ready) }, listens: listens, port: port,
        remote: remote ? url : nil, target: target, fingerprint: fingerprint)
}

func variable(_ name: String, _ value: String, line: Int = 1, isSecret: Bool = false) -> Variable {
    Variable(
        name: name, value: value, source: .manifest(Position(line: line, column: 1)), isSecret: isSecret)
}

/// A machine on which the ports in `held` are held and the manifests in `gone` don't exist.
func machine(
    held: [Int: PortOwner] = [:], gone: Set<String> = [], ephemeral: ClosedRange<Int> = 32_768...60_999
) -> Machine {
    Machine(ephemeral: ephemeral, holder: { held[$0] }, manifestExists: { !gone.contains($0) })
}

func plan(_ manifest: Manifest, _ registry: inout PortRegistry, machine: Machine? = nil) throws(PlanError) -> Plan {
    try Plan.make(manifest, registry: &registry, environment: [:], machine: machine ?? PlanTests.machine())
}

func plan(_ services: [Service]) throws(PlanError) -> Plan {
    var registry = PortRegistry()
    return try plan(manifest(services), &registry)
}

extension Plan {
    var fronts: [String: Int] {
        Dictionary(uniqueKeysWithValues: services.compactMap { one in one.front.map { (one.name, $0) } })
    }
}
