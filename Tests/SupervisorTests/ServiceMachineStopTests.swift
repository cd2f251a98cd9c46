import Manifest
import Platform
import Testing

@testable import Supervisor

@Suite struct ServiceMachineStopTests {
    @Test func stop_drainsSignalsAndWaitsForTheWholeTree() {
        var world = World.ready()
        let key = world.newest
        let ticket = world.command { .stop($0) }
        #expect(world.state == .stopping)
        #expect(world.answers)
        #expect(world.draining == [key])
        #expect(world.processes[key] == .running)
        world.drained()
        #expect(world.processes[key] == .signalled)
        world.exit(key, .signalled(.terminate), leftovers: 1)
        #expect(world.outcomes[ticket] == nil)
        #expect(world.effects.contains(.signal(key, 15, .tree)))
        world.processes[key] = nil
        world.send(.treeGone(key))
        #expect(world.outcomes[ticket] == .done)
        #expect(world.state == .stopped)
        #expect(world.timers.isEmpty)
    }

    @Test func stop_drainTakesTooLong_signalsAllTheSame() {
        var world = World.ready()
        let key = world.newest
        world.command { .stop($0) }
        world.fire(.stop(key))
        #expect(world.processes[key] == .signalled)
    }

    @Test func stop_signalIsIgnored_killsTheTree() {
        var world = World.ready()
        let key = world.newest
        world.command { .stop($0) }
        world.drained()
        #expect(world.timers[.stop(key)] == .seconds(10))
        world.fire(.stop(key))
        #expect(world.processes[key] == .killed)
        world.signalledEnd()
        #expect(world.state == .stopped)
    }

    @Test func stop_duringBuild_cancelsItAndWaitsUntilItIsGone() {
        var world = World(.sample { $0.build = .shell("make") })
        let start = world.command { .start($0) }
        let stop = world.command { .stop($0) }
        #expect(world.cancelled == [1])
        #expect(world.outcomes[start] == .failed("reader was stopped meanwhile"))
        #expect(world.outcomes[stop] == nil)
        world.endBuild(.cancelled)
        #expect(world.outcomes[stop] == .done)
        #expect(world.state == .stopped)
    }

    @Test func end_duringABuildThatWasAskedFor_cancelsItAndThoseThatWait() {
        var world = World.ready(.sample { $0.build = .shell("make") })
        let first = world.command { .build($0) }
        let second = world.command { .build($0) }
        let end = world.command { .end($0) }
        #expect(world.cancelled == [2])
        #expect(world.outcomes[first] == .failed("reader was stopped meanwhile"))
        #expect(world.outcomes[second] == .failed("reader was stopped meanwhile"))
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[end] == nil)
        world.endBuild(.cancelled)
        #expect(world.outcomes[end] == .done)
        #expect(world.builds.isEmpty)
    }

    @Test func kill_withABuildThatWaits_doesNotBeginIt() {
        var world = World.ready(.sample { $0.build = .shell("make") })
        world.command { .build($0) }
        world.command { .build($0) }
        world.command { .kill($0) }
        world.signalledEnd()
        world.endBuild(.cancelled)
        #expect(world.builds.isEmpty)
    }

    @Test func stop_duringStart_signalsWithoutDrain() {
        var world = World()
        let start = world.command { .start($0) }
        world.spawned()
        let stop = world.command { .stop($0) }
        #expect(world.processes[world.newest] == .signalled)
        world.signalledEnd()
        #expect(world.outcomes[stop] == .done)
        #expect(world.outcomes[start] == .failed("reader was stopped meanwhile"))
    }

    @Test func stop_beforeTheSpawnIsKnown_endsItAllTheSame() {
        var world = World()
        world.command { .start($0) }
        let key = world.newest
        let stop = world.command { .stop($0) }
        world.send(.spawned(key, pid: 7, port: 10001))
        #expect(world.processes[key] == .signalled)
        world.processes[key] = nil
        world.send(.spawnFailed(key, reason: "no such program"))
        #expect(world.outcomes[stop] == .done)
    }

    @Test func stop_beforeTheSpawnIsKnown_countsItsTimeoutFromTheSignal() {
        var world = World()
        world.command { .start($0) }
        let key = world.newest
        world.command { .stop($0) }
        #expect(world.timers[.stop(key)] == .seconds(10), "a start that never returns is ended as well")
        world.timers[.stop(key)] = .milliseconds(1)
        world.spawned(key)
        #expect(world.timers[.stop(key)] == .seconds(10))
    }

    @Test func stop_duringRestart_winsOverIt() {
        var world = World.ready()
        let restart = world.command { .restart($0) }
        let stop = world.command { .stop($0) }
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[stop] == .done)
        #expect(world.outcomes[restart] == .failed("reader was stopped meanwhile"))
        #expect(world.processes.isEmpty)
    }

    @Test func start_duringStop_startsAnewWhenTheOldOneIsGone() {
        var world = World.ready()
        let old = world.newest
        let stop = world.command { .stop($0) }
        world.drained()
        let start = world.command { .start($0) }
        #expect(world.keys == [old])
        #expect(world.holds)
        world.signalledEnd()
        #expect(world.outcomes[stop] == .done)
        #expect(world.newest != old)
        world.everythingGetsReady()
        #expect(world.outcomes[start] == .done)
    }

    @Test func kill_whileDraining_killsAtOnce() {
        var world = World.ready()
        let stop = world.command { .stop($0) }
        let kill = world.command { .kill($0) }
        #expect(world.processes[world.newest] == .killed)
        world.signalledEnd()
        #expect(world.outcomes[stop] == .done)
        #expect(world.outcomes[kill] == .done)
    }
}
