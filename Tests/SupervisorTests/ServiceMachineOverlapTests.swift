import Manifest
import Platform
import Testing

@testable import Supervisor

/// `handover: overlap`: a restart starts the new process first.
@Suite struct ServiceMachineOverlapTests {
    private let overlapping = Service.sample { $0.handover = .overlap }
    private let builtAndOverlapping = Service.sample {
        $0.handover = .overlap
        $0.build = .shell("make")
    }

    /// One whose successor has been spawned and is not ready yet.
    private func begun(_ service: Service? = nil) -> (World, old: RunKey, new: RunKey, ticket: Int) {
        var world = World.ready(service ?? overlapping)
        let old = world.newest
        let ticket = world.command { .restart($0) }
        if !world.builds.isEmpty { world.endBuild(.succeeded) }
        world.spawned()
        return (world, old, world.newest, ticket)
    }

    @Test func restart_startsTheNewOneWhileTheOldOneServes() {
        let (world, old, new, ticket) = begun()
        #expect(new != old && new.instance == 1)
        #expect(world.processes == [old: .running, new: .running])
        #expect(world.serving == [old])
        #expect(world.state == .ready)
        #expect(world.machine.status.instances.map(\.generation) == [old.generation])
        #expect(world.outcomes[ticket] == nil)
    }

    @Test func successorReady_frontPassesToItOnlyBeforeTheOldOneIsDrained() {
        var (world, old, new, ticket) = begun()
        world.send(.probePassed(new, host: nil))
        let fronts = world.effects.filter { if case .front = $0 { true } else { false } }
        #expect(fronts.count == 1, "one change, atomic")
        #expect(world.serving == [new])
        let drain = world.effects.firstIndex(of: .drain(old, limit: .seconds(5)))
        #expect(world.effects.firstIndex(of: fronts[0])! < drain!)
        #expect(world.machine.status.instances.map(\.generation) == [new.generation])

        world.drained()
        #expect(world.effects.contains(.closeConnections(old)))
        #expect(world.effects.contains(.signal(old, 15, .group)))
        #expect(world.outcomes[ticket] == nil, "something of the old one is left")
        world.signalledEnd()
        #expect(world.outcomes[ticket] == .done)
        #expect(world.processes == [new: .running])
        #expect(world.timers.isEmpty)
        #expect(world.violations.isEmpty)
    }

    @Test func restarts_neverHoldAndNeverLeaveReady() {
        var world = World.ready(overlapping, instances: 2)
        for _ in 0..<10 {
            let ticket = world.command { .restart($0) }
            while world.outcomes[ticket] == nil {
                world.everythingGetsReady()
                #expect(world.serving.count == 2 && world.state == .ready)
                world.drained()
                #expect(world.serving.count == 2 && world.state == .ready)
                world.signalledEnd()
                #expect(world.serving.count == 2 && world.state == .ready)
            }
        }
        #expect(world.violations.isEmpty)
    }

    @Test func restart_ofThree_takesOneAfterAnother() {
        var world = World.ready(overlapping, instances: 3)
        let ticket = world.command { .restart($0) }
        for number in 1...3 {
            let new = world.newest
            #expect(new.instance == number && world.processes.count == 4)
            world.spawned(new)
            world.send(.probePassed(new, host: nil))
            world.drained()
            #expect(world.newest == new, "the next one waits for the end of this one's predecessor")
            world.signalledEnd()
        }
        #expect(world.outcomes[ticket] == .done)
        #expect(world.serving.map(\.generation) == [4, 5, 6])
    }

    @Test func restart_ofAWorker_startsTheNewOneFirst() {
        var (world, old, new, ticket) = begun(
            .sample {
                $0.handover = .overlap
                $0.listens = .nothing
            })
        #expect(world.processes == [old: .signalled, new: .running])
        world.signalledEnd()
        world.fire(.trial(new))
        #expect(world.outcomes[ticket] == .done)
    }

    @Test func build_endsBeforeTheNewOneStarts() {
        var world = World.ready(builtAndOverlapping)
        let old = world.newest
        let ticket = world.command { .restart($0) }
        #expect(world.newest == old && world.serving == [old])
        world.endBuild(.failed(reason: "the build exited with 2"))
        #expect(world.outcomes[ticket] == .buildFailed("the build exited with 2"))
        world.command { .restart($0) }
        world.endBuild(.succeeded)
        #expect(world.newest != old && world.serving == [old])
    }

    @Test func configure_startsTheNewOneFirst() {
        var world = World.ready()
        let old = world.newest
        let ticket = world.command { .configure(overlapping, $0) }
        #expect(world.serving == [old])
        world.everythingGetsReady()
        #expect(world.serving == [world.newest] && world.newest != old)
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[ticket] == .done)
    }

    // MARK: The new one fails

    @Test func successorExits_oldOneServesOnAndTheReasonIsTold() {
        var (world, old, new, ticket) = begun()
        world.exit(new, .exited(3))
        let reason =
            "the new process did not take over: it exited with status 3 before it was ready; the old one goes on serving"
        #expect(world.outcomes[ticket] == .failed(reason))
        #expect(world.notes == [reason])
        #expect(world.serving == [old] && world.processes == [old: .running])
        #expect(world.state == .ready)
        #expect(world.machine.status.instances[0].restarts == 0)
        #expect(world.timers.isEmpty, "it is not tried again by itself")
    }

    @Test func successorExits_leavingOthers_theyAreEndedFirst() {
        var (world, old, new, ticket) = begun()
        world.exit(new, .exited(3), leftovers: 1)
        #expect(world.effects.contains(.signal(new, 15, .tree)))
        #expect(world.outcomes[ticket] == nil && world.serving == [old])
        world.processes[new] = nil
        world.send(.treeGone(new))
        guard case .failed = world.outcomes[ticket] else {
            Issue.record("not failed: \(world.outcomes)")
            return
        }
        #expect(world.serving == [old])
    }

    @Test func successorCannotBeSpawned_oldOneServesOn() {
        var world = World.ready(overlapping)
        let old = world.newest
        let ticket = world.command { .restart($0) }
        world.processes[world.newest] = nil
        world.send(.spawnFailed(RunKey(instance: 1, generation: 2), reason: "there is no program reader on its PATH"))
        #expect(
            world.outcomes[ticket]
                == .failed(
                    "the new process did not take over: there is no program reader on its PATH; the old one goes on "
                        + "serving"))
        #expect(world.serving == [old])
    }

    @Test func successorNeverReady_isStoppedAndOldOneServesOn() {
        var (world, old, new, ticket) = begun()
        world.send(.probeFailed(new, reason: "GET /healthz answered 500"))
        #expect(world.timers[.ready(new)] == .seconds(30))
        world.fire(.ready(new))
        #expect(world.processes == [old: .running, new: .signalled])
        #expect(world.serving == [old] && world.state == .ready)
        world.send(.probePassed(new, host: nil))
        #expect(world.serving == [old], "it is too late")
        #expect(world.outcomes[ticket] == nil)
        world.signalledEnd()
        #expect(
            world.outcomes[ticket]
                == .failed(
                    "the new process did not take over: it was not ready after 30 s: GET /healthz answered 500; "
                        + "the old one goes on serving"))
        #expect(world.timers.isEmpty)
    }

    @Test func successorFails_othersAreLeftAsTheyAre() {
        var world = World.ready(overlapping, instances: 3)
        let olds = world.keys
        let ticket = world.command { .restart($0) }
        world.exit(world.newest, .exited(1))
        #expect(world.keys == olds && world.serving == olds)
        guard case .failed = world.outcomes[ticket] else {
            Issue.record("not failed: \(world.outcomes)")
            return
        }
    }

    @Test func restart_afterAFailedOne_isTriedAnew() {
        var (world, _, new, _) = begun()
        world.exit(new, .exited(3))
        let ticket = world.command { .restart($0) }
        world.everythingGetsReady()
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[ticket] == .done)
        #expect(world.serving == [world.newest])
    }

    @Test func successorsPortIsTaken_itIsStartedOnAnother() {
        var (world, old, new, ticket) = begun()
        world.exit(new, .exited(1), portTaken: "nginx (pid 7)")
        #expect(world.newest != new && world.serving == [old])
        world.everythingGetsReady()
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[ticket] == .done)
    }

    // MARK: The old one fails meanwhile

    @Test func oldOneCrashes_newOneTakesOverOnceReady() {
        var (world, old, new, ticket) = begun()
        world.exit(old, .signalled(.kill))
        #expect(world.holds)
        #expect(world.processes == [new: .running])
        world.send(.probePassed(new, host: nil))
        #expect(world.serving == [new])
        #expect(world.outcomes[ticket] == .done)
        #expect(world.machine.status.instances[0].restarts == 0)
    }

    @Test func oldOneCrashes_leavingOthers_theyEndBesideTheNewOne() {
        var (world, old, new, ticket) = begun()
        world.exit(old, .signalled(.kill), leftovers: 2)
        #expect(world.effects.contains(.signal(old, 15, .tree)))
        world.send(.probePassed(new, host: nil))
        #expect(world.serving == [new])
        #expect(world.outcomes[ticket] == nil)
        world.processes[old] = nil
        world.send(.treeGone(old))
        #expect(world.outcomes[ticket] == .done)
        #expect(world.serving == [new])
    }

    @Test func bothCrash_itIsTriedAgain() {
        var (world, old, new, ticket) = begun()
        world.exit(old, .signalled(.kill))
        world.exit(new, .exited(1))
        #expect(world.outcomes[ticket] == .failed("it exited with status 1 before it was ready"))
        #expect(world.timers[.retry(instance: 1)] == .milliseconds(500))
    }

    @Test func oldOneCrashes_afterTheSwitch_nothingIsLost() {
        var (world, old, new, ticket) = begun()
        world.send(.probePassed(new, host: nil))
        world.exit(old, .exited(1))
        #expect(world.serving == [new])
        #expect(world.outcomes[ticket] == .done)
    }

    // MARK: Commands meanwhile

    @Test(arguments: [false, true])
    func stop_meanwhile_endsBoth(isReady: Bool) {
        var (world, old, new, ticket) = begun()
        if isReady { world.send(.probePassed(new, host: nil)) }
        let stop = world.command { .stop($0) }
        #expect(world.answers)
        world.drained()
        #expect(world.processes == [old: .signalled, new: .signalled])
        world.exit(new, .signalled(.terminate))
        #expect(world.outcomes[stop] == nil && world.state == .stopping)
        world.exit(old, .signalled(.terminate))
        #expect(world.outcomes[stop] == .done && world.state == .stopped)
        #expect(world.outcomes[ticket] == .failed("reader was stopped meanwhile"))
        #expect(world.timers.isEmpty)
    }

    @Test func kill_meanwhile_killsBoth() {
        var (world, old, new, _) = begun()
        let kill = world.command { .kill($0) }
        #expect(world.processes == [old: .killed, new: .killed])
        world.signalledEnd()
        #expect(world.outcomes[kill] == .done)
    }

    @Test func scaleDown_meanwhile_endsBothOfTheSurplus() {
        var world = World.ready(overlapping, instances: 2)
        let kept = world.keys[0]
        world.command { .restart($0) }
        world.everythingGetsReady()
        world.drained()
        world.signalledEnd()
        let both = world.keys.filter { $0.instance == 2 }
        #expect(both.count == 2)
        let scale = world.command { .scale(1, $0) }
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[scale] == .done)
        #expect(world.keys.map(\.instance) == [1] && world.keys != [kept])
    }

    @Test func useRemote_meanwhile_endsBothOnceNobodyUsesThem() {
        var service = overlapping
        service.remote = Service.sampleRemote
        var (world, old, new, _) = begun(service)
        world.command { .use(.remote, keep: false, $0) }
        #expect(world.front == .remote)
        world.fire(.linger)
        world.drained()
        #expect(world.processes == [old: .signalled, new: .signalled])
        world.signalledEnd()
        #expect(world.processes.isEmpty && world.front == .remote)
    }

    @Test func secondRestart_meanwhile_replacesTheSuccessor() {
        var (world, old, new, first) = begun()
        let second = world.command { .restart($0) }
        #expect(world.processes == [old: .running, new: .signalled])
        #expect(world.serving == [old])
        world.signalledEnd()
        let newest = world.newest
        #expect(newest != new && world.serving == [old])
        world.everythingGetsReady()
        #expect(world.serving == [newest])
        world.drained()
        world.signalledEnd()
        #expect([first, second].map { world.outcomes[$0] } == [.done, .done])
        #expect(world.violations.isEmpty)
    }

    @Test func secondRestart_withABuild_letsTheFirstServeMeanwhile() {
        var (world, old, new, first) = begun(builtAndOverlapping)
        let second = world.command { .restart($0) }
        #expect(world.builds == [3])
        world.send(.probePassed(new, host: nil))
        #expect(world.serving == [new])
        world.drained()
        world.exit(old, .signalled(.terminate))
        #expect(world.outcomes[first] == .done)
        world.endBuild(.succeeded)
        world.everythingGetsReady()
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[second] == .done)
        #expect(world.newest != new && world.serving == [world.newest])
    }

    @Test func secondRestart_whileTheOldOneEnds_waitsForThat() {
        var (world, old, new, _) = begun()
        world.send(.probePassed(new, host: nil))
        let second = world.command { .restart($0) }
        #expect(world.newest == new, "there are never three")
        world.drained()
        world.exit(old, .signalled(.terminate))
        #expect(world.newest != new && world.serving == [new])
        world.everythingGetsReady()
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[second] == .done)
    }

    @Test func start_meanwhile_isDoneAtOnce() {
        var (world, _, _, _) = begun()
        let start = world.command { .start($0) }
        #expect(world.outcomes[start] == .done)
    }
}
