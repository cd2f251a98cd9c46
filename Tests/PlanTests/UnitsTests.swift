import Manifest
import Plan
import Testing

@Suite struct UnitsTests {
    /// `members`, served from its version `next`, which another service insists on, and two more.
    private func plan(_ change: (inout Service) -> Void = { _ in }) throws -> Plan {
        var next = Service(name: "members@next", directory: "/next", run: .shell("next"), listens: .fixed(8081))
        change(&next)
        let members = Service(
            name: "members", directory: "/members", run: .shell("run"), listens: .fixed(8080), target: .version("next"),
            versions: [ServiceVersion(name: "next", service: next)], fingerprint: "m")
        let remote = Remote(scheme: .http, host: "h", port: 80, hostHeader: "h", url: "http://h")
        let reader = Service(
            name: "reader", directory: "/", run: .shell("run"),
            uses: [Use(service: "members", target: .version("next")), Use(service: "mail")],
            dependsOn: [Dependency(service: "members", condition: .ready)])
        let mail = Service(name: "mail", directory: "/", remote: remote, target: .remote)
        var registry = PortRegistry()
        let machine = Machine(ephemeral: 32768...60999, holder: { _ in nil }, manifestExists: { _ in true })
        let manifest = Manifest(
            path: "/services.json", directory: "/", name: "p", services: [members, reader, mail])
        return try Plan.make(manifest, registry: &registry, environment: [:], machine: machine)
    }

    @Test func unit_isFoundByServiceAndVersion() throws {
        let plan = try plan()
        #expect(plan.units.map(\.name) == ["members", "members@next", "reader", "mail"])
        #expect(plan.unit("MEMBERS@Next")?.name == "members@next")
        #expect(plan.unit("members@local")?.name == "members")
        #expect(plan.unit("mail@local") == nil && plan.unit("members@main") == nil && plan.unit("none@next") == nil)
        #expect(plan.unit("members@next")?.front == plan.service("members")?.front)
    }

    @Test func version_isToldItsServicesNameAndAddress() throws {
        let plan = try plan()
        let version = try #require(plan.unit("members@next"))
        let environment = plan.environment(of: version)
        #expect(environment["SERVICE_NAME"] == "members")
        #expect(environment["SERVICE_ADDRESS"] == plan.service("members")?.front.map { "127.0.0.1:\($0)" })
        #expect(environment["PORT"] == "8081")
    }

    @Test func edge_keepsWhatItsCallerInsistsOn() throws {
        #expect(try plan().service("reader")?.edges.map(\.pinned) == [.version("next"), nil])
    }

    @Test func ports_thatVersionsInsistOn_count() throws {
        #expect(try plan().insistedPorts == [8080: "members", 8081: "members@next"])
        #expect(throws: PlanError.self) { try plan { $0.listens = .fixed(8080) } }
    }

    @Test func selection_hasVersionsWhereTheManifestStartsThem() throws {
        let plan = try plan()
        #expect(plan.wholeSelection["members"] == .version("next"))
        #expect(try plan.selection(of: ["reader"])["members"] == .version("next"))
        #expect(try plan.localSelection(of: ["reader"])["members"] == .version("next"))
        #expect(try plan.localSelection(of: ["members"])["members"] == .local)
    }

    @Test func changes_ofAVersion_areItsOwn() throws {
        let changes = Changes.between(try plan(), try plan { $0.fingerprint = "other" })
        #expect(changes == Changes(changed: ["members@next"], unchanged: ["members", "reader", "mail"]))
    }

    @Test func gitRef_becomesAVersionOnce() throws {
        var plan = try plan()
        plan.addVersion(git: "main", to: "members")
        plan.addVersion(git: "main", to: "members")
        plan.addVersion(git: "next", to: "members")
        plan.addVersion(git: "main", to: "nobody")
        #expect(plan.service("members")?.service.targets == [.local, .version("next"), .git("main")])
        let added = try #require(plan.unit("members@main")?.service)
        #expect(added.checkout == Checkout(ref: "main") && added.run == .shell("run") && added.fingerprint == "m")
        #expect(added.versions.isEmpty && added.target == .local)
        #expect(Changes.between(plan, try self.plan()).removed == ["members@main"])
    }
}
