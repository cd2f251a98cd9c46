import Manifest
import Plan
import Testing

@Suite struct PortAssignmentTests {
    @Test func ports_ofFirstProject_followTheContractsLayout() throws {
        let plan = try plan([
            service("reader", uses: ["members", "purge"]), service("purge"), service("members", uses: ["purge"]),
        ])
        #expect(plan.gatewayPort == 20_000)
        #expect(plan.fronts == ["reader": 20_001, "purge": 20_002, "members": 20_003])
        #expect(plan.dnsPort == 20_099)
        #expect(
            plan.services.flatMap(\.edges) == [
                Edge(caller: "reader", target: "members", port: 20_100),
                Edge(caller: "reader", target: "purge", port: 20_101),
                Edge(caller: "members", target: "purge", port: 20_102),
            ])
    }

    @Test func port_ofName_staysThroughReorderingAdditionAndRemoval() throws {
        var registry = PortRegistry()
        let first = try plan(manifest([service("a", uses: ["b"]), service("b"), service("c")]), &registry)
        let second = try plan(manifest([service("d"), service("c"), service("A", uses: ["b"])]), &registry)
        #expect(second.fronts == ["d": 20_004, "c": 20_003, "A": 20_001])
        #expect(second.services.flatMap(\.edges) == [])
        let third = try plan(manifest([service("b"), service("a", uses: ["c", "b"]), service("c")]), &registry)
        #expect(third.fronts == first.fronts)
        let ports = third.services.flatMap(\.edges).map(\.port)
        #expect(ports == [20_101, 20_100], "b keeps its edge though it was away")
    }

    @Test func port_afterRegistryWentThroughItsFile_stays() throws {
        var registry = PortRegistry()
        let one = manifest([service("a", uses: ["b"]), service("b", port: 8080), service("c")])
        let before = try plan(one, &registry)
        guard case .whole(var reread) = PortRegistry.parse(Array(registry.serialized().utf8)) else {
            Issue.record("not whole: \(registry.serialized())")
            return
        }
        #expect(reread == registry)
        #expect(try plan(one, &reread) == before)
    }

    @Test func twoProjects_haveBlocksThatDontMeet() throws {
        var registry = PortRegistry()
        let one = try plan(manifest([service("a")], folder: "one"), &registry)
        let two = try plan(manifest([service("a")], folder: "two"), &registry)
        #expect(one.fronts == ["a": 20_001])
        #expect(two.fronts == ["a": 20_201])
        #expect(two.gatewayPort == 20_200)
    }

    @Test func newBlock_withOnePortHeld_isPassedOver() throws {
        var registry = PortRegistry()
        let machine = machine(held: [20_150: .unknown, 20_399: .unknown])
        #expect(try plan(manifest([service("a")]), &registry, machine: machine).gatewayPort == 20_400)
    }

    @Test func givenPort_thatIsHeld_isKept() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a")]), &registry)
        let again = try plan(manifest([service("a")]), &registry, machine: machine(held: [20_001: .unknown]))
        #expect(again.fronts == ["a": 20_001])
    }

    @Test func freshPort_thatIsHeld_isPassedOver() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a")]), &registry)
        let again = try plan(
            manifest([service("a"), service("b")]), &registry, machine: machine(held: [20_002: .unknown]))
        #expect(again.fronts == ["a": 20_001, "b": 20_003])
    }

    @Test func serviceThatDoesNotListen_hasNoFrontAndNoEdge() throws {
        let plan = try plan([
            service("worker", listens: .nothing), service("a", uses: ["worker", "b"]), service("b"),
        ])
        #expect(plan.fronts == ["a": 20_001, "b": 20_002])
        #expect(plan.services[1].edges == [Edge(caller: "a", target: "b", port: 20_100)])
    }

    @Test func fullBlock_getsASecondOne() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("other")], folder: "other"), &registry)
        let many = (1...100).map { service("s\($0)") }
        let plan = try plan(manifest(many), &registry)
        #expect(plan.fronts["s98"] == 20_298)
        #expect(plan.fronts["s99"] == 20_401)
        #expect(plan.fronts["s100"] == 20_402)
        #expect(plan.gatewayPort == 20_200)
        let again = try PlanTests.plan(manifest(many.reversed()), &registry)
        #expect(again.fronts == plan.fronts)
    }

    @Test func manyEdges_spillIntoASecondBlock() throws {
        let names = (1...11).map { "s\($0)" }
        let plan = try plan(names.map { name in service(name, uses: names.filter { $0 != name }) })
        let edges = plan.services.flatMap(\.edges)
        #expect(edges.count == 110)
        #expect(Set(edges.map(\.port)).count == 110)
        #expect(edges[99].port == 20_199)
        #expect(edges[100].port == 20_300)
    }

    @Test func removedName_givesItsPortUpOnlyWhenNoBlockIsLeft() throws {
        var registry = PortRegistry()
        let tight = machine(ephemeral: 20_200...60_999)
        _ = try plan(manifest((1...98).map { service("s\($0)") }), &registry, machine: tight)
        let fewer = (1...97).map { service("s\($0)") }
        let plan = try plan(manifest(fewer + [service("new")]), &registry, machine: tight)
        #expect(plan.fronts["new"] == 20_098)
        #expect(plan.fronts["s97"] == 20_097)
        #expect(throws: PlanError.noSpace(limit: 20_200)) {
            try PlanTests.plan(
                manifest(fewer + [service("new"), service("newer")]), &registry, machine: tight)
        }
    }

    @Test func blockOfVanishedManifest_isReusedWhenSpaceRunsOut() throws {
        var registry = PortRegistry()
        let tight = { (gone: Set<String>) in machine(gone: gone, ephemeral: 20_400...60_999) }
        for folder in ["one", "two"] {
            _ = try plan(manifest([service("a")], folder: folder), &registry, machine: tight([]))
        }
        #expect(throws: PlanError.noSpace(limit: 20_400)) {
            try plan(manifest([service("a")], folder: "three"), &registry, machine: tight([]))
        }
        let gone = "/src/two/services.json"
        let three = try plan(manifest([service("a")], folder: "three"), &registry, machine: tight([gone]))
        #expect(three.gatewayPort == 20_200)
        #expect(registry.project(manifest: gone) == nil)
        #expect(registry.project(manifest: "/src/one/services.json") != nil)
    }

    @Test func registry_afterAnError_isAsBefore() throws {
        var registry = PortRegistry()
        _ = try plan(manifest([service("a")], folder: "one"), &registry)
        let before = registry
        #expect(throws: PlanError.self) {
            try plan(manifest([service("a", port: 20_001)], folder: "two"), &registry)
        }
        #expect(registry == before)
    }

    @Test func ephemeralRangeThatLeavesNoRoomBelow_isNotKeptOutOf() throws {
        var registry = PortRegistry()
        let plan = try plan(manifest([service("a")]), &registry, machine: machine(ephemeral: 1024...65_535))
        #expect(plan.gatewayPort == 20_000)
    }
}
