import Manifest
import Plan
import Testing

@Suite struct PinnedPortTests {
    @Test func pin_winsOverAGivenPortAndMovesItsOwner() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a"), service("b"), service("c", uses: ["a"])]), &registry)
        let pinned = manifest([service("a"), service("b", port: 20_001), service("c", uses: ["a"])])
        let after = try plan(pinned, &registry)
        #expect(after.fronts == ["a": 20_004, "b": 20_001, "c": 20_003])
        let edgePinned = manifest([service("a", port: 20_100), service("b"), service("c", uses: ["a"])])
        let last = try plan(edgePinned, &registry)
        #expect(last.fronts == ["a": 20_100, "b": 20_001, "c": 20_003])
        #expect(last.services[2].edges.map(\.port) == [20_101])
    }

    @Test func pinOutsideTheBlock_whenItGoes_givesWayToTheFormerPort() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a"), service("b")]), &registry)
        #expect(try plan(manifest([service("a", port: 8080), service("b")]), &registry).fronts["a"] == 8080)
        #expect(try plan(manifest([service("a"), service("b")]), &registry).fronts["a"] == 20_001)
    }

    @Test func pinInsideTheBlock_whenItGoes_stays() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a", port: 20_007)]), &registry)
        #expect(try plan(manifest([service("b"), service("a")]), &registry).fronts == ["b": 20_001, "a": 20_007])
    }

    @Test func pin_onAnotherProjectsPort_isAnErrorNamingIt() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a")], folder: "one"), &registry)
        let two = manifest([service("x", port: 20_001)], folder: "two")
        let error = #expect(throws: PlanError.self) { try plan(two, &registry) }
        #expect(
            error?.description
                == "services.x.port is 20001, which is the front of a in project one (/src/one/services.json). "
                + "Choose another port, or leave it out.")
        let gone = machine(gone: ["/src/one/services.json"])
        #expect(try plan(two, &registry, machine: gone).fronts == ["x": 20_001])
    }

    @Test func pin_inAnotherProjectsBlock_isNotGivenThere() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a")], folder: "one"), &registry)
        _ = try plan(manifest([service("x", port: 20_002)], folder: "two"), &registry)
        let one = try plan(manifest([service("a"), service("b")], folder: "one"), &registry)
        #expect(one.fronts == ["a": 20_001, "b": 20_003])
    }

    @Test func samePin_inTwoCheckouts_isAllowed() throws {
        var registry = PortRegistry()
        for folder in ["one", "two"] {
            let made = try plan(manifest([service("a", port: 8080)], folder: folder), &registry)
            #expect(made.fronts == ["a": 8080])
        }
    }

    @Test func pin_onGatewayOrDNS_isAnError() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a")]), &registry)
        #expect(
            throws: PlanError.portTwice(port: 20_000, service: "a", other: "the gateway of this project")
        ) { try plan(manifest([service("a", port: 20_000)]), &registry) }
        #expect(
            throws: PlanError.portTwice(port: 20_099, service: "a", other: "the DNS server of this project")
        ) { try plan(manifest([service("a", listens: .fixed(20_099))]), &registry) }
        // A project without a block yet gets another one instead.
        let fresh = try plan(manifest([service("a", port: 20_200)], folder: "fresh"), &registry)
        #expect(fresh.gatewayPort == 20_400)
    }

    @Test func pin_onAnotherServicesListens_isAnErrorNamingBoth() throws {
        let error = #expect(throws: PlanError.self) {
            try plan([service("a", listens: .fixed(8080)), service("b", port: 8080)])
        }
        #expect(
            error?.description
                == "Port 8080 of service b is also `listens` of service a. Choose another port for one of them.")
    }

    @Test func fixedListens_onAGivenPort_movesTheFront() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a"), service("b")]), &registry)
        let after = try plan(manifest([service("a"), service("b", listens: .fixed(20_001))]), &registry)
        #expect(after.fronts == ["a": 20_003, "b": 20_002])
    }
}

@Suite struct ChosenBlockTests {
    @Test func first_placesTheBlock() throws {
        var registry = PortRegistry()
        let plan = try plan(manifest([service("a", uses: ["b"]), service("b")], firstPort: 21_050), &registry)
        #expect(plan.gatewayPort == 21_050)
        #expect(plan.fronts == ["a": 21_051, "b": 21_052])
        #expect(plan.dnsPort == 21_149)
        #expect(plan.services[0].edges.map(\.port) == [21_150])
        let other = try PlanTests.plan(manifest([service("a")], folder: "other"), &registry)
        #expect(other.gatewayPort == 20_000)
    }

    @Test func first_whenItChanges_movesTheBlockAndKeepsItsOrder() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a"), service("b", uses: ["a"])]), &registry)
        let moved = try plan(manifest([service("b", uses: ["a"]), service("a")], firstPort: 25_000), &registry)
        #expect(moved.fronts == ["a": 25_001, "b": 25_002])
        #expect(moved.services[0].edges.map(\.port) == [25_100])
        let kept = try plan(manifest([service("b"), service("a")]), &registry)
        #expect(kept.fronts == ["a": 25_001, "b": 25_002])
    }

    @Test func first_inABlockThatWasGiven_isAnErrorNamingItsOwner() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a")], folder: "one"), &registry)
        let two = manifest([service("a")], folder: "two", firstPort: 20_100)
        let error = #expect(throws: PlanError.self) { try plan(two, &registry) }
        #expect(
            error?.description
                == "ports.first is 20100, but ports from 20100 to 20299 belong to project one "
                + "(/src/one/services.json). Choose another number, or leave ports.first out.")
        let gone = machine(gone: ["/src/one/services.json"])
        #expect(try plan(two, &registry, machine: gone).gatewayPort == 20_100)
    }

    @Test func first_sharedByTwoCheckouts_isAllowedUntilOneLeavesIt() throws {
        var registry = PortRegistry()
        for folder in ["one", "two"] {
            let made = try plan(manifest([service("a")], folder: folder, firstPort: 20_000), &registry)
            #expect(made.fronts == ["a": 20_001])
        }
        let left = try plan(manifest([service("a")], folder: "two"), &registry)
        #expect(left.fronts == ["a": 20_201])
    }
}
