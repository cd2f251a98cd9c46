import Manifest
import Platform
import Testing

@testable import Supervisor

@Suite struct ServiceMachineRestartTests {
    @Test func restart_ofOneInstance_holdsMeanwhile() {
        var world = World.ready()
        let old = world.newest
        let ticket = world.command { .restart($0) }
        #expect(world.state == .stopping)
        #expect(world.holds)
        world.drained()
        world.signalledEnd()
        #expect(world.newest != old)
        #expect(world.holds)
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done)
        #expect(world.backends == [1])
    }

    @Test func restart_ofThree_takesOneAfterAnotherAndNeverHolds() {
        var world = World.ready(instances: 3)
        let ticket = world.command { .restart($0) }
        for (number, others) in [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])] {
            #expect(world.draining.map(\.instance) == [number])
            #expect(world.backends == others)
            #expect(world.state == .ready)
            world.drained()
            world.signalledEnd()
            #expect(world.backends == others)
            #expect(world.outcomes[ticket] == nil)
            world.everythingGetsReady()
        }
        #expect(world.outcomes[ticket] == .done)
        #expect(world.keys.map(\.generation) == [4, 5, 6])
    }

    @Test func restart_buildFails_oldOneServesOn() {
        var world = World.ready(.sample { $0.build = .shell("make") })
        let old = world.newest
        let ticket = world.command { .restart($0) }
        #expect(world.state == .ready)
        #expect(world.backends == [1])
        world.endBuild(.failed(reason: "the build exited with 2"))
        #expect(world.outcomes[ticket] == .buildFailed("the build exited with 2"))
        #expect(world.keys == [old])
        #expect(world.processes[old] == .running)
        #expect(world.state == .ready)
        #expect(world.timers.isEmpty)
    }

    @Test func restart_newOneCrashes_othersServeOnAsTheyAre() {
        var world = World.ready(instances: 2)
        let ticket = world.command { .restart($0) }
        world.drained()
        world.signalledEnd()
        world.spawned()
        world.exit(world.newest, .exited(1))
        #expect(world.outcomes[ticket] == .failed("it exited with status 1 before it was ready"))
        #expect(world.backends == [2])
        #expect(world.draining.isEmpty)
        #expect(world.timers[.retry(instance: 1)] == .milliseconds(500))
    }

    @Test func restart_hundredAtOnce_areTwoAtMost() {
        var world = World.ready()
        var tickets: [Int] = []
        for _ in 0..<100 { tickets.append(world.command { .restart($0) }) }
        while tickets.contains(where: { world.outcomes[$0] == nil }) {
            world.drained()
            world.signalledEnd()
            world.everythingGetsReady()
        }
        #expect(tickets.allSatisfy { world.outcomes[$0] == .done })
        #expect(world.newest.generation <= 3)
        #expect(world.violations.isEmpty)
    }

    @Test func restart_duringABuild_buildsOnceMoreForAllThatCame() {
        var world = World.ready(.sample { $0.build = .shell("make") })
        let first = world.command { .restart($0) }
        let others = (0..<10).map { _ in world.command { .restart($0) } }
        world.endBuild(.succeeded)
        world.drained()
        world.signalledEnd()
        #expect(world.builds == [3])
        world.endBuild(.succeeded)
        world.everythingGetsReady()
        world.drained()
        world.signalledEnd()
        world.everythingGetsReady()
        #expect(world.outcomes[first] == .done)
        #expect(others.allSatisfy { world.outcomes[$0] == .done })
        #expect(world.builds.isEmpty)
        #expect(world.violations.isEmpty)
    }

    @Test func restart_whileStarting_replacesWhatMissedTheChange() {
        var world = World()
        let start = world.command { .start($0) }
        world.spawned()
        let old = world.newest
        let restart = world.command { .restart($0) }
        #expect(world.processes[old] == .signalled)
        world.signalledEnd()
        world.everythingGetsReady()
        #expect(world.newest != old)
        #expect(world.outcomes[start] == .done)
        #expect(world.outcomes[restart] == .done)
    }

    @Test func restart_whileWaitingForADependency_joinsTheStart() {
        var world = World()
        world.send(.dependencies(.waiting(reason: "waits for db", blocksBuild: false)))
        let start = world.command { .start($0) }
        let restart = world.command { .restart($0) }
        world.send(.dependencies(.met))
        world.everythingGetsReady()
        #expect(world.outcomes[start] == .done)
        #expect(world.outcomes[restart] == .done)
        #expect(world.newest.generation == 1)
    }

    @Test func restart_ofWhatIsStopped_startsIt() {
        var world = World()
        let ticket = world.command { .restart($0) }
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done)
    }

    @Test func lateEvents_ofAPastGeneration_changeNothing() {
        var world = World.ready()
        let old = world.newest
        world.command { .restart($0) }
        world.drained()
        world.signalledEnd()
        world.everythingGetsReady()
        let before = world.machine.status
        world.send(.leaderExited(old, .signalled(.kill), leftovers: 0, portTaken: nil))
        world.send(.treeGone(old))
        world.send(.probeFailed(old, reason: "late"))
        world.send(.drained(old))
        world.send(.timerFired(.stop(old)))
        world.send(.spawnFailed(old, reason: "late"))
        #expect(world.machine.status == before)
        #expect(world.effects.isEmpty)
    }
}
