import Manifest
import Plan
import Testing

@Suite struct PlanEnvironmentTests {
    private func injected(_ environment: Environment) -> [String: String] {
        environment.entries.filter { $0.value.source == .injected }.mapValues(\.value)
    }

    private func values(_ plan: Plan, _ instance: Int, _ port: Int?) -> [String: String] {
        EnvironmentMaker(plan).values(of: plan.services[0], instance: instance, privatePort: port)
    }

    @Test func values_ofAnyService_areItsEnvironments() throws {
        let top = [variable("TOP", "\0SERVICE_B_PORT\0", line: 1)]
        for (uses, listens, top) in [
            (["b"], Listens.assigned, []), (nil, .fixed(9000), []), ([], .nothing, []), (["b"], .assigned, top),
        ] as [([String]?, Listens, [Variable])] {
            var registry = PortRegistry()
            let first = service("a", uses: uses, listens: listens, variables: [variable("OWN", "1", line: 2)])
            let plan = try plan(manifest([first, service("b")], variables: top), &registry)
            let environment = plan.environment(of: plan.services[0], instance: 2, privatePort: 10_001)
            #expect(values(plan, 2, 10_001) == environment.values)
        }
    }

    @Test func injected_withUses_areTheEdges() throws {
        let plan = try plan([
            service("reader", uses: ["news-members"]), service("news-members"), service("purge"),
        ])
        #expect(
            injected(plan.environment(of: plan.services[0], instance: 2, privatePort: 10_123)) == [
                "PORT": "10123",
                "SERVICE_NAME": "reader",
                "SERVICE_INSTANCE": "2",
                "SERVICE_ADDRESS": "127.0.0.1:20001",
                "SERVICE_DNS_ADDRESS": "127.0.0.1:20099",
                "SERVICE_NEWS_MEMBERS_ADDRESS": "127.0.0.1:20100",
                "SERVICE_NEWS_MEMBERS_HOST": "127.0.0.1",
                "SERVICE_NEWS_MEMBERS_PORT": "20100",
                "SERVICE_NEWS_MEMBERS_URL": "http://127.0.0.1:20100",
            ])
    }

    @Test func injected_withoutUses_areTheFrontsOfAll() throws {
        let plan = try plan([service("a"), service("b.c"), service("w", listens: .nothing)])
        let environment = plan.environment(of: plan.services[0], privatePort: 10_000)
        #expect(environment["SERVICE_B_C_ADDRESS"] == "127.0.0.1:20002")
        #expect(environment["SERVICE_A_URL"] == "http://127.0.0.1:20001")
        #expect(environment["SERVICE_W_ADDRESS"] == nil)
    }

    @Test func injected_withEmptyUses_areNoAddresses() throws {
        let plan = try plan([service("a", uses: []), service("b")])
        #expect(plan.environment(of: plan.services[0])["SERVICE_B_ADDRESS"] == nil)
    }

    @Test func port_ofFixedListens_isThatNumber() throws {
        let plan = try plan([service("a", listens: .fixed(8080)), service("w", listens: .nothing)])
        #expect(plan.environment(of: plan.services[0], privatePort: 10_000)["PORT"] == "8080")
        let worker = plan.environment(of: plan.services[1])
        #expect(worker["PORT"] == nil)
        #expect(worker["SERVICE_ADDRESS"] == nil)
        #expect(worker["SERVICE_A_PORT"] == "20001")
    }

    @Test func precedence_lowToHigh_isTheContracts() throws {
        var registry = PortRegistry()
        let top = [variable("B", "top", line: 2), variable("C", "top", line: 3), variable("C", "top env", line: 4)]
        let own = [variable("C", "own", line: 5), variable("D", "own", line: 6)]
        let inherited = [
            "A": "inherited", "B": "inherited", "C": "inherited", "PORT": "3000", "SERVICE_X_URL": "stale",
            "SERVICE_NAME": "stale",
        ]
        let plan = try Plan.make(
            manifest([service("a", variables: own)], variables: top), registry: &registry, environment: inherited,
            machine: machine())
        let environment = plan.environment(of: plan.services[0], privatePort: 10_000)
        #expect(environment["A"] == "inherited")
        #expect(environment["B"] == "top")
        #expect(environment["C"] == "own")
        #expect(environment["D"] == "own")
        #expect(environment["PORT"] == "10000")
        #expect(environment["SERVICE_X_URL"] == nil)
        #expect(environment["SERVICE_NAME"] == "a")
        let source = { (line: Int) in Environment.Source.manifest(variable("C", "", line: line).source) }
        #expect(environment.entries["C"]?.source == source(5))
        #expect(environment.entries["C"]?.overridden == [.inherited, source(3), source(4)])
        #expect(environment.entries["PORT"]?.overridden == [.inherited])
        #expect(environment.assignments.contains("C=own"))
        #expect(values(plan, 1, 10_000) == environment.values)
    }

    @Test func meshEnvironment_hasAllFrontsAndNothingOfOneService() throws {
        let plan = try plan([service("a", uses: []), service("b")])
        let environment = plan.meshEnvironment
        #expect(environment["SERVICE_A_ADDRESS"] == "127.0.0.1:20001")
        #expect(environment["SERVICE_B_PORT"] == "20002")
        #expect(environment["SERVICE_DNS_ADDRESS"] == "127.0.0.1:20099")
        for name in ["PORT", "SERVICE_NAME", "SERVICE_INSTANCE", "SERVICE_ADDRESS"] {
            #expect(environment[name] == nil)
        }
    }

    @Test func secrets_areMaskedByMarkNameAndPassword() throws {
        var registry = PortRegistry()
        let inherited = [
            "GITHUB_TOKEN": "x", "DB": "postgres://me:pw@db:5432/x", "EDITOR": "vi", "MAIL": "me@example.com",
        ]
        let file = Variable(name: "PIN", value: "1", source: .file(path: "/src/.env", line: 1), isSecret: true)
        let plan = try Plan.make(
            manifest([service("monkey", variables: [file, variable("LEVEL", "\0PORT\0")])]), registry: &registry,
            environment: inherited, machine: machine())
        let environment = plan.environment(of: plan.services[0], privatePort: 10_000)
        let shown = Dictionary(
            uniqueKeysWithValues: environment.entries.keys.filter { !$0.hasPrefix("SERVICE_") }.map {
                ($0, environment.masked($0) ?? "")
            })
        #expect(
            shown == [
                "GITHUB_TOKEN": Secrets.mask, "DB": "postgres://me:\(Secrets.mask)@db:5432/x", "EDITOR": "vi",
                "MAIL": "me@example.com", "PIN": Secrets.mask, "LEVEL": "10000", "PORT": "10000",
            ])
        #expect(environment.masked("SERVICE_MONKEY_PORT") == "20001", "KEY in a service's name is no secret")
        #expect(environment.masked("ABSENT") == nil)
    }

    @Test func valuesThatNameInjectedVariables_getThem() throws {
        var registry = PortRegistry()
        let own = [
            variable("URL", "http://localhost:\0PORT\0/"), variable("PEER", "\0SERVICE_B_PORT\0"),
            variable("MINE", "\0SERVICE_NAME\0.\0SERVICE_INSTANCE\0"),
        ]
        let plan = try plan(manifest([service("a", variables: own), service("b")]), &registry)
        let environment = plan.environment(of: plan.services[0], instance: 3, privatePort: 10_007)
        #expect(environment["URL"] == "http://localhost:10007/")
        #expect(environment["PEER"] == "20002")
        #expect(environment["MINE"] == "a.3")
        #expect(values(plan, 3, 10_007) == environment.values)
        #expect(plan.environment(of: plan.services[0])["URL"] == "http://localhost:${PORT}/")
    }
}
