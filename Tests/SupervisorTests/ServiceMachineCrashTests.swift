import Manifest
import Platform
import Testing

@testable import Supervisor

@Suite struct ServiceMachineCrashTests {
    @Test func crash_isRetriedWithGrowingDelays() {
        var world = World.ready()
        var delays: [Duration] = []
        for _ in 0..<8 {
            world.exit(world.newest, .exited(1))
            let first = world.timers[.retry(instance: 1)]!
            world.fire(.retry(instance: 1))
            if first < .milliseconds(500) || first >= .seconds(1) || world.processes.isEmpty {
                delays.append(first + .seconds(1))
                world.fire(.retry(instance: 1))
            } else {
                delays.append(first)
            }
            world.spawned()
        }
        #expect(
            delays == [
                .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16),
                .seconds(30), .seconds(30),
            ])
        #expect(world.machine.status.instances[0].restarts == 8)
    }

    @Test func crash_frontHoldsOnlyInTheLastSecond() {
        var world = World.ready()
        world.exit(world.newest, .signalled(Signal(11)))
        #expect(world.state == .failed)
        #expect(world.reason == "it was ended by SIGSEGV")
        #expect(world.holds)
        world.fire(.retry(instance: 1))
        world.exit(world.newest, .exited(1))
        world.fire(.retry(instance: 1))
        world.fire(.retry(instance: 1))
        world.exit(world.newest, .exited(1))
        #expect(world.answers)
        world.fire(.retry(instance: 1))
        #expect(world.holds)
    }

    @Test func crash_afterALongReadyTime_startsCountingAgain() {
        var world = World.ready()
        world.exit(world.newest, .exited(1))
        world.fire(.retry(instance: 1))
        world.everythingGetsReady()
        #expect(world.timers[.settled(world.newest)] == .seconds(10))
        world.fire(.settled(world.newest))
        world.exit(world.newest, .exited(1))
        #expect(world.timers[.retry(instance: 1)] == .milliseconds(500))
    }

    @Test func excess_isACrashWithAReasonOfItsOwn() {
        var world = World.ready()
        world.send(.outgrew(world.newest, reason: "it used 2GB"))
        #expect(world.state == .ready)
        world.exit(world.newest, .signalled(.kill))
        #expect(world.state == .failed && world.reason == "it used 2GB")
        world.fire(.retry(instance: 1))
        world.everythingGetsReady()
        world.exit(world.newest, .exited(1))
        #expect(world.reason == "it exited with status 1")
    }

    @Test func crash_neverPolicy_staysFailed() {
        var world = World.ready(.sample { $0.restart = .never })
        world.exit(world.newest, .exited(3))
        #expect(world.state == .failed)
        #expect(world.answers)
        #expect(world.timers.isEmpty)
        let ticket = world.command { .start($0) }
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done)
    }

    @Test func exitZero_byPolicy() {
        var onFailure = World.ready()
        onFailure.exit(onFailure.newest, .exited(0))
        #expect(onFailure.state == .completed)
        var always = World.ready(.sample { $0.restart = .always })
        always.exit(always.newest, .exited(0))
        #expect(always.state == .completed)
        #expect(always.reason?.contains(#""always""#) == true)
        #expect(always.holds, "the next try is near")
        always.fire(.retry(instance: 1))
        #expect(always.state == .starting)
        #expect(always.machine.status.instances[0].restarts == 1)
        always.everythingGetsReady()
        always.exit(always.newest, .exited(0))
        #expect(always.answers, "the next try is far")
        #expect(always.timers[.retry(instance: 1)] == .zero)
        always.fire(.retry(instance: 1))
        #expect(always.holds)
        always.command { .stop($0) }
        #expect(always.state == .stopped)
        #expect(always.timers.isEmpty)
    }

    @Test func exitZero_ofWhatIsAlwaysRestarted_hasStarted() {
        var world = World(
            .sample {
                $0.listens = .nothing
                $0.restart = .always
            })
        let ticket = world.command { .start($0) }
        world.spawned()
        world.exit(world.newest, .exited(0))
        #expect(world.outcomes[ticket] == .done)
    }

    @Test func exitZero_leavesOthersBehind_isNoFailureMeanwhile() {
        var world = World(.sample { $0.oneShot = true })
        let ticket = world.command { .start($0) }
        world.spawned()
        let key = world.newest
        world.exit(key, .exited(0), leftovers: 1)
        #expect(world.state == .stopping)
        world.processes[key] = nil
        world.send(.treeGone(key))
        #expect(world.state == .completed)
        #expect(world.outcomes[ticket] == .done)
    }

    @Test func portTaken_triesAnotherAtOnceWithoutCountingACrash() {
        var world = World()
        let ticket = world.command { .start($0) }
        world.spawned()
        world.exit(world.newest, .exited(98), portTaken: "nginx (pid 7)")
        #expect(world.newest.generation == 2)
        #expect(world.machine.status.instances[0].restarts == 0)
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done)
        #expect(world.notes.contains { $0.contains("nginx (pid 7)") })
    }

    @Test func portTaken_ofAFixedPort_isACrashThatNamesTheOwner() {
        var world = World(.sample { $0.listens = .fixed(8080) })
        let ticket = world.command { .start($0) }
        world.send(.spawned(world.newest, pid: 9, port: 8080))
        world.exit(world.newest, .exited(98), portTaken: "nginx (pid 7)")
        #expect(world.outcomes[ticket] == .failed("it exited with status 98: port 8080 is taken by nginx (pid 7)"))
    }

    @Test func crash_leavesOthersBehind_endsThemBeforeTheNextTry() {
        var world = World.ready()
        let key = world.newest
        world.exit(key, .exited(1), leftovers: 2)
        #expect(world.processes[key] == .signalled)
        #expect(world.timers[.retry(instance: 1)] == nil)
        world.fire(.stop(key))
        #expect(world.processes[key] == .killed)
        world.processes[key] = nil
        world.send(.treeGone(key))
        #expect(world.timers[.retry(instance: 1)] == .milliseconds(500))
    }

    @Test func retry_duringABuild_waitsForIt() {
        var world = World.ready(.sample { $0.build = .shell("make") })
        world.command { .restart($0) }
        world.exit(world.newest, .exited(1))
        world.fire(.retry(instance: 1))
        #expect(world.processes.isEmpty)
        world.endBuild(.succeeded)
        #expect(world.keys.count == 1)
    }

    @Test func spawnFails_isACrashWithItsReason() {
        var world = World()
        let ticket = world.command { .start($0) }
        let key = world.newest
        world.processes[key] = nil
        world.send(.spawnFailed(key, reason: "reader's program ./reader is missing"))
        #expect(world.outcomes[ticket] == .failed("reader's program ./reader is missing"))
        #expect(world.state == .failed)
    }
}
