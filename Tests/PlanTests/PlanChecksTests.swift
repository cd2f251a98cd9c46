import Manifest
import Plan
import Testing

@Suite struct PlanChecksTests {
    private let held: [Int: PortOwner] = [
        20_000: .process(pid: 7, program: "python3"), 20_001: .user("root"), 20_002: .unknown,
        20_100: .mesh(manifest: "/shop/services.json"),
    ]

    @Test func listeners_areGatewayDNSFrontsAndEdges() throws {
        let plan = try plan([service("a", uses: ["b"]), service("b", port: 8080), service("w", listens: .nothing)])
        #expect(
            plan.listeners == [
                ListeningPort(port: 20_000, role: .gateway), ListeningPort(port: 20_099, role: .dns),
                ListeningPort(port: 20_001, role: .front(service: "a", isPinned: false)),
                ListeningPort(port: 8080, role: .front(service: "b", isPinned: true)),
                ListeningPort(port: 20_100, role: .edge(caller: "a", target: "b")),
            ])
    }

    @Test func heldPorts_areAllNamedWithTheirHolder() throws {
        let plan = try plan([service("a", uses: ["b"]), service("b")])
        let error = #expect(throws: PlanError.self) { try plan.checkPorts { held[$0] } }
        #expect(
            error?.description == """
                Port 20000, the gateway, is held by python3 (pid 7). Stop that process (kill 7), or choose another \
                block with "ports": {"first": …}.
                Port 20001, the front of a, is held by a process of user root. Stop that process, or set another \
                "port" in services.a.
                Port 20002, the front of b, is held by another process. Stop that process, or set another "port" in \
                services.b.
                Port 20100, the edge a → b, is held by the mesh of /shop/services.json. Stop that mesh (devmesh -f \
                /shop/services.json down), or choose another block with "ports": {"first": …}.
                """)
    }

    @Test func heldPorts_ofTheMeshItself_arePassedOver() throws {
        let plan = try plan([service("a", uses: ["b"]), service("b")])
        try plan.checkPorts(besides: Set(held.keys)) { held[$0] }
        try plan.checkPorts { _ in nil }
    }

    @Test func listensOfTwoMeshes_isAnErrorNamingBoth() throws {
        let plan = try plan([service("a", listens: .fixed(8080)), service("b", listens: .fixed(9090))])
        #expect(plan.insistedPorts == [8080: "a", 9090: "b"])
        try plan.checkInsistedPorts(against: [7070: "x"], of: "other")
        let error = #expect(throws: PlanError.self) {
            try plan.checkInsistedPorts(against: [9090: "x"], of: "other")
        }
        #expect(
            error?.description
                == "Service b listens on port 9090, and so does x of project other, which is up. "
                + "Stop that one (devmesh down there), or change `listens` of one of them.")
    }
}
