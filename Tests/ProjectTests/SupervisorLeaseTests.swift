import Platform
import Project
import Synchronization
import TestSupport
import Testing

@Suite struct SupervisorLeaseTests {
    @Test func lease_whileAMeshIsUp_leadsToIt() throws {
        let fixture = ProjectFixture()
        let up = try fixture.bringUp(fixture.project)
        guard case .running(let record) = try SupervisorLease.acquire(fixture.project, places: fixture.places) else {
            Issue.record("a second supervisor")
            return
        }
        #expect(record == fixture.record(of: fixture.project))
        try up.die()
    }

    @Test func lease_ofManyThatAskAtOnce_goesToOneAndTheOthersFindItsMesh() throws {
        let fixture = ProjectFixture()
        let project = fixture.project
        let places = fixture.places
        let acquired = Mutex(0)
        let found = Mutex(0)
        let allAsked = PlatformSemaphore()
        let threads = try (0..<12).map { _ in
            try PlatformThread("up") {
                switch try? SupervisorLease.acquire(project, places: places) {
                case .acquired(let lease):
                    acquired.withLock { $0 += 1 }
                    try? lease.prepareSocket()
                    let listener = try? Kernel.real.listen(at: .unix(lease.socket))
                    try? lease.publish(ProjectFixture.sample(project, places))
                    allAsked.wait()
                    _ = consume listener
                    lease.release()
                case .running:
                    if found.withLock({
                        $0 += 1; return $0
                    }) == 11 {
                        allAsked.signal()
                    }
                case nil:
                    break
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(acquired.withLock { $0 } == 1)
        #expect(found.withLock { $0 } == 11)
    }

    @Test func deadSupervisorsFiles_areRemovedByTheNext() throws {
        let fixture = ProjectFixture()
        try fixture.bringUp(fixture.project).die()
        let socket = fixture.project.socket(fixture.places)
        #expect(Kernel.real.status(socket) != nil, "the stale socket is there")
        #expect(MeshRecord.find(fixture.project, places: fixture.places) == nil)
        let up = try fixture.bringUp(fixture.project)
        #expect(MeshRecord.find(fixture.project) != nil)
        up.lease.withdraw()
        #expect(MeshRecord.find(fixture.project) == nil)
        #expect(Kernel.real.status(Path.parent(socket)) == nil)
        try up.die()
    }

    @Test func lease_ofASupervisorThatIsEnding_isWaitedFor() throws {
        let fixture = ProjectFixture()
        let project = fixture.project
        let places = fixture.places
        let up = try fixture.bringUp(project)
        up.lease.withdraw()
        let waits = PlatformSemaphore()
        let outcome = Mutex(false)
        let thread = try PlatformThread("up") {
            let next = try? SupervisorLease.acquire(project, places: places) { waits.signal() }
            if case .acquired = next { outcome.withLock { $0 = true } }
        }
        waits.wait()
        #expect(outcome.withLock { $0 } == false)
        try up.die()
        thread.join()
        #expect(outcome.withLock { $0 })
    }

    @Test func lock_ofAProcessThatIsKilled_isFree() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        let pipe = try Kernel.real.pipe()
        let lock = fixture.project.stateFolder + "/life.lock"
        let pid = try ChildTable.spawn(
            SpawnRequest(
                path: "/bin/sh", arguments: ["sh", "-c", "exec flock \"$0\" sh -c 'echo held; exec cat'", lock],
                environment: ["PATH": "/usr/bin:/bin"]),
            stdin: pipe.reader.raw, stdout: pipe.writer.raw)
        #expect(pipe.reader.text() == "held\n")
        let waited = Mutex(false)
        let (project, places) = (fixture.project, fixture.places)
        let thread = try PlatformThread("down") {
            _ = try? SupervisorLease.waitForEnd(project, places: places)
            waited.withLock { $0 = true }
        }
        #expect(waited.withLock { $0 } == false)
        _ = ChildTable.signal(pid, .kill, group: true)
        thread.join()
        #expect(waited.withLock { $0 })
        _ = ChildTable.wait(pid)
    }

    @Test func waitForEnd_whereNothingEverWas_returns() throws {
        let project = LocatedProject(manifest: "/nowhere/at/all/services.json")
        #expect(try SupervisorLease.waitForEnd(project, places: ProjectFixture().places) == nil)
    }

    @Test func waitForEnd_ofAnotherMeshThanTheOneThatIsUp_returnsThatOne() throws {
        let fixture = ProjectFixture()
        let up = try fixture.bringUp(fixture.project)
        var former = fixture.record(of: fixture.project)
        #expect(try SupervisorLease.waitForEnd(fixture.project, places: fixture.places) == former)
        former.started = WallTime(microseconds: 0)
        let found = try SupervisorLease.waitForEnd(fixture.project, of: former, places: fixture.places)
        #expect(found?.pid == former.pid)
        try up.die()
    }

    @Test func waitForEnd_onADiskThatIsReadOnly_waitsAllTheSame() throws {
        let fixture = ProjectFixture()
        guard case .acquired(let lease) = try SupervisorLease.acquire(fixture.project, places: fixture.places) else {
            Issue.record("not acquired")
            return
        }
        lease.release()
        let faults = FaultPlan()
        faults.inject(.open, .fails(.readOnlyFileSystem))
        let kernel = Kernel(faults: faults)
        #expect(try SupervisorLease.waitForEnd(fixture.project, places: fixture.places, kernel: kernel) == nil)
        #expect(faults.count(.open) >= 3)
    }

    @Test func lease_afterTheStateFolderWasRemovedUnderALivingMesh_leadsToIt() throws {
        let fixture = ProjectFixture()
        let up = try fixture.bringUp(fixture.project)
        Kernel.real.removeTree(fixture.project.hiddenFolder)
        guard case .running = try SupervisorLease.acquire(fixture.project, places: fixture.places) else {
            Issue.record("a second supervisor")
            return
        }
        try up.die()
    }

    @Test func lease_ofAMeshWhoseSocketWasRemoved_isNamedRatherThanWaitedFor() throws {
        let fixture = ProjectFixture()
        let (project, places) = (fixture.project, fixture.places)
        let up = try fixture.bringUp(project)
        let lost = ProjectError.lost(pid: ThisProcess.id, socket: project.socket(places))
        Kernel.real.removeTree(places.runtime)
        #expect(throws: lost) { try SupervisorLease.acquire(project, places: places) }
        #expect(throws: lost) { try SupervisorLease.waitForEnd(project, places: places) }
        #expect(lost.description.contains("`kill \(ThisProcess.id)`"))
        try up.die()
        #expect(try SupervisorLease.waitForEnd(project, places: places) == nil)
    }

    @Test func lease_ofAMeshWhoseRecordsWereRemovedToo_isNamedRatherThanWaitedFor() throws {
        let fixture = ProjectFixture()
        let (project, places) = (fixture.project, fixture.places)
        let up = try fixture.bringUp(project)
        let journal = try Journal(project)
        let lost = ProjectError.lost(pid: ThisProcess.id, socket: project.socket(places))
        up.lease.withdraw()
        #expect(throws: lost) { try SupervisorLease.acquire(project, places: places) }
        #expect(throws: lost) { try SupervisorLease.waitForEnd(project, places: places) }
        // One that ends says so first.
        Journal.noteEnd(of: project, "it went down")
        try up.die()
        #expect(try SupervisorLease.waitForEnd(project, places: places) == nil)
        _ = consume journal
    }

    @Test func runtimeFolder_thatIsALink_isRefused() throws {
        let fixture = ProjectFixture()
        guard case .acquired(let lease) = try SupervisorLease.acquire(fixture.project, places: fixture.places) else {
            Issue.record("not acquired")
            return
        }
        try Kernel.real.makeDirectory(fixture.folder.path + "/elsewhere")
        try Kernel.real.makeDirectory(Path.parent(fixture.places.runtime))
        try symlink(fixture.folder.path + "/elsewhere", at: fixture.places.runtime)
        #expect(throws: ProjectError.foreignFolder(path: fixture.places.runtime)) { try lease.prepareSocket() }
    }

    @Test func socketsFolder_isPrivate() throws {
        let fixture = ProjectFixture()
        try Kernel.real.makeDirectory(fixture.places.runtime, permissions: 0o755)
        let up = try fixture.bringUp(fixture.project)
        for folder in [fixture.places.runtime, fixture.project.runtimeFolder(fixture.places)] {
            #expect(Kernel.real.status(folder)?.mode == 0o700)
        }
        try up.die()
    }
}
