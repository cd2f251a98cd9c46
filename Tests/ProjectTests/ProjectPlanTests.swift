import Manifest
import Plan
import Platform
import Project
import Synchronization
import TestSupport
import Testing

@Suite struct ProjectPlanTests {
    private func manifest(_ project: LocatedProject, listens: Listens = .assigned, port: Int? = nil) -> Manifest {
        Manifest(
            path: project.manifest, directory: project.directory, name: "shop",
            services: [
                Service(name: "web", directory: project.directory, run: .shell("web"), listens: listens, port: port)
            ])
    }

    @Test func plan_isTheSameEveryTime() throws {
        let fixture = ProjectFixture()
        let first = try fixture.project.plan(manifest(fixture.project), environment: [:], places: fixture.places)
        let modified = Kernel.real.status(fixture.places.registry)?.inode
        let second = try fixture.project.plan(manifest(fixture.project), environment: [:], places: fixture.places)
        #expect(first.plan == second.plan)
        #expect(Kernel.real.status(fixture.places.registry)?.inode == modified, "nothing new, nothing written")
        #expect(first.claimedPorts.isSuperset(of: first.plan.listeners.map(\.port)))
        #expect(first.plan.gatewayPort + 200 <= ephemeralPorts().lowerBound)
    }

    @Test func portsOfAProjectThatWasUp_outliveTheLossOfTheRegistry() throws {
        let fixture = ProjectFixture()
        let other = LocatedProject(manifest: fixture.folder.write("other/services.json", "{}"))
        try fixture.project.makeStateFolder()
        _ = try other.plan(manifest(other), environment: [:], places: fixture.places)
        let first = try fixture.project.plan(manifest(fixture.project), environment: [:], places: fixture.places)
        try Kernel.real.replaceFile(fixture.places.registry, with: [])
        let second = try fixture.project.plan(manifest(fixture.project), environment: [:], places: fixture.places)
        #expect(second.note != nil)
        #expect(second.plan == first.plan)
        #expect(Kernel.real.status(other.hiddenFolder) == nil, "planning alone leaves nothing beside the manifest")
    }

    @Test func plansOfManyProjectsAtOnce_neverMeet() throws {
        let fixture = ProjectFixture()
        let places = fixture.places
        let ports = Mutex<[Int]>([])
        let threads = try (0..<8).map { index in
            let project = LocatedProject(manifest: fixture.folder.write("p\(index)/services.json", "{}"))
            let manifest = manifest(project)
            return try PlatformThread("up") {
                let planned = try? project.plan(manifest, environment: [:], places: places)
                ports.withLock { $0 += planned?.plan.listeners.map(\.port) ?? [] }
            }
        }
        for thread in threads { thread.join() }
        let all = ports.withLock { $0 }
        #expect(all.count == 24)
        #expect(Set(all).count == 24)
    }

    @Test func portThatIsHeld_isAnErrorNamingPidAndProgram() throws {
        let fixture = ProjectFixture()
        let socket = try Kernel.real.listen(at: .loopback(0))
        let port = try #require(Kernel.real.localAddress(socket)?.port)
        let planned = try fixture.project.plan(
            manifest(fixture.project, port: port), environment: [:], places: fixture.places)
        // Another test may be listening on ports that this plan would have.
        let others = Set(planned.plan.listeners.map(\.port)).subtracting([port])
        let error = #expect(throws: ProjectError.self) {
            try fixture.project.checkFree(planned.plan, besides: others, places: fixture.places)
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("Port \(port), the front of web, is held by "))
        #expect(text.contains("(pid \(ThisProcess.id))"))
        try fixture.project.checkFree(planned.plan, besides: others.union([port]), places: fixture.places)
        socket.close()
        try fixture.project.checkFree(planned.plan, besides: others, places: fixture.places)
    }

    @Test func listensOfAMeshThatIsUp_isAnErrorNamingBoth() throws {
        let fixture = ProjectFixture()
        let other = LocatedProject(manifest: fixture.folder.write("other/services.json", "{}"))
        let up = try fixture.bringUp(other)
        let planned = try fixture.project.plan(
            manifest(fixture.project, listens: .fixed(8080)), environment: [:], places: fixture.places)
        #expect(planned.claimedPorts.contains(8080))
        #expect(
            throws: ProjectError.plan(.listensTwice(port: 8080, service: "web", other: "web", project: "shop"))
        ) { try fixture.project.checkFree(planned.plan, places: fixture.places) }
        try up.die()
    }
}
