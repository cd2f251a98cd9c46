import Plan
import Platform
import Project
import Synchronization
import TestSupport
import Testing

@Suite struct RegistryFileTests {
    private func sample(_ name: String, first: Int) -> PortRegistry.Project {
        .init(
            manifest: "/\(name)/services.json", name: name, displayName: name, blocks: [PortBlock(first: first)],
            fronts: ["a": first + 1])
    }

    @Test func update_isThereForTheNextReader() throws {
        let fixture = ProjectFixture()
        let file = RegistryFile(fixture.places)
        #expect(try file.read() == .init(registry: PortRegistry()))
        let outcome = try file.update { registry in
            registry.set(sample("one", first: 20_000))
            return 7
        }
        #expect(outcome.result == 7)
        #expect(outcome.note == nil)
        #expect(try file.read().registry.projects == [sample("one", first: 20_000)])
        #expect(Kernel.real.status(fixture.places.registry)?.mode == 0o600)
        #expect(Kernel.real.status(fixture.places.state)?.mode == 0o700)
    }

    @Test func updates_fromManyThreads_allCount() throws {
        let fixture = ProjectFixture()
        let places = fixture.places
        let failures = Mutex(0)
        let threads = try (0..<16).map { index in
            try PlatformThread("up") {
                do {
                    for round in 0..<4 {
                        let number = index * 4 + round
                        _ = try RegistryFile(places).update { registry in
                            registry.set(
                                .init(
                                    manifest: "/p\(number)/services.json", name: "p", displayName: "p",
                                    blocks: [PortBlock(first: 20_000 + number * 200)]))
                        }
                    }
                } catch { failures.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == 0)
        let content = try RegistryFile(places).read()
        #expect(content.note == nil)
        #expect(content.registry.projects.count == 64)
        let rest = try Kernel.real.list(places.state)
        #expect(rest == ["ports.json", "ports.json.lock"], "no file of a half-made write is left")
    }

    @Test func update_thatThrows_changesNothing() throws {
        let fixture = ProjectFixture()
        let file = RegistryFile(fixture.places)
        #expect(throws: ProjectError.plan(.noSpace(limit: 1))) {
            try file.update { registry throws(PlanError) in
                registry.set(sample("one", first: 20_000))
                throw PlanError.noSpace(limit: 1)
            }
        }
        #expect(Kernel.real.status(fixture.places.registry) == nil)
    }

    @Test func tornFile_isReadAsFarAsItGoesReportedAndMended() throws {
        let fixture = ProjectFixture()
        let file = RegistryFile(fixture.places)
        let whole = PortRegistry(projects: [sample("one", first: 20_000), sample("two", first: 20_200)])
        let bytes = Array(whole.serialized().utf8)
        try Kernel.real.makeDirectory(fixture.places.state)
        try Kernel.real.replaceFile(fixture.places.registry, with: Array(bytes.dropLast(20)))
        let outcome = try file.update { $0.projects.count }
        #expect(outcome.result == 1)
        #expect(
            outcome.note
                == "The port registry \(fixture.places.registry) was damaged (it is not JSON as a whole). "
                + "The ports of 1 project could be kept; others may get new ones.")
        #expect(try file.read() == .init(registry: PortRegistry(projects: [sample("one", first: 20_000)])))
        #expect(try Kernel.real.readFile(fixture.places.registry + ".damaged") == Array(bytes.dropLast(20)))
    }

    @Test func newerFile_isRefusedAndLeftAlone() throws {
        let fixture = ProjectFixture()
        let text = #"{"version":9,"projects":[]}"#
        try Kernel.real.makeDirectory(fixture.places.state)
        try Kernel.real.replaceFile(fixture.places.registry, with: Array(text.utf8))
        #expect(throws: ProjectError.newer(path: fixture.places.registry, version: 9)) {
            try RegistryFile(fixture.places).update { $0.projects = [] }
        }
        #expect(try Kernel.real.readFile(fixture.places.registry) == Array(text.utf8))
    }

    @Test func fullDisk_leavesTheOldContent() throws {
        let fixture = ProjectFixture()
        let file = RegistryFile(fixture.places)
        _ = try file.update { $0.set(sample("one", first: 20_000)) }
        for call in [FaultPlan.Call.write, .sync, .rename] {
            let faults = FaultPlan()
            faults.inject(call, .fails(.noSpace))
            let error = #expect(throws: ProjectError.self) {
                try RegistryFile(fixture.places, kernel: Kernel(faults: faults)).update {
                    $0.set(sample("two", first: 20_200))
                }
            }
            #expect(error?.description.contains(fixture.places.registry) == true)
            #expect(try file.read().registry.projects == [sample("one", first: 20_000)])
        }
        #expect(try Kernel.real.list(fixture.places.state) == ["ports.json", "ports.json.lock"])
    }
}
