import Manifest
import Platform
import Testing

@testable import Supervisor

@Suite struct ServiceMachineScaleAndUseTests {
    @Test func scale_up_startsTheNewOnesBesideTheOld() {
        var world = World.ready()
        let ticket = world.command { .scale(3, $0) }
        #expect(world.keys.map(\.instance) == [1, 2, 3])
        #expect(world.backends == [1])
        world.everythingGetsReady()
        #expect(world.backends == [1, 2, 3])
        #expect(world.outcomes[ticket] == .done)
    }

    @Test func scale_down_drainsTheLastOnes() {
        var world = World.ready(instances: 3)
        let ticket = world.command { .scale(1, $0) }
        #expect(world.backends == [1])
        #expect(world.draining.map(\.instance).sorted() == [2, 3])
        #expect(world.outcomes[ticket] == nil)
        world.drained()
        world.signalledEnd()
        #expect(world.outcomes[ticket] == .done)
        #expect(world.machine.status.instances.count == 1)
    }

    @Test func scale_duringRestart_endsConsistent() {
        var world = World.ready(instances: 2)
        let restart = world.command { .restart($0) }
        let down = world.command { .scale(1, $0) }
        let up = world.command { .scale(3, $0) }
        for _ in 0..<6 {
            world.drained()
            world.signalledEnd()
            world.everythingGetsReady()
        }
        #expect([restart, down, up].map { world.outcomes[$0] } == [.done, .done, .done])
        #expect(world.backends == [1, 2, 3])
        #expect(world.violations.isEmpty)
    }

    @Test func whatRunsNowhere_orOnce_isNotScaled() {
        var remote = World(
            .sample {
                $0.run = nil
                $0.remote = Service.sampleRemote
            }, target: .remote)
        let tickets = [remote.command { .scale(3, $0) }, remote.command { .restart($0) }]
        let reason = "reader can't run here; give its entry in the manifest a `run` command"
        #expect(tickets.map { remote.outcomes[$0] } == [.failed(reason), .failed(reason)])
        var job = World(.sample { $0.oneShot = true })
        let (two, one) = (job.command { .scale(2, $0) }, job.command { .scale(1, $0) })
        #expect(job.outcomes[one] == .done)
        #expect(
            job.outcomes[two] == .failed("reader is a job that runs once (\"oneShot\"), so it has one instance"))
    }

    @Test func build_alone_touchesNoProcess() {
        var world = World.ready(.sample { $0.build = .shell("make") })
        let key = world.newest
        let first = world.command { .build($0) }
        let second = world.command { .build($0) }
        world.endBuild(.succeeded)
        #expect(world.outcomes[first] == .done)
        #expect(world.outcomes[second] == nil, "that build may have missed what changed since it began")
        world.endBuild(.failed(reason: "no"))
        #expect(world.outcomes[second] == .buildFailed("no"))
        #expect(world.keys == [key])
    }

    @Test func useRemote_flipsAtOnceAndStopsTheLocalOneLater() {
        var world = World.ready(.sample { $0.remote = Service.sampleRemote })
        let ticket = world.command { .use(.remote, keep: false, $0) }
        #expect(world.outcomes[ticket] == .done)
        #expect(world.front == .remote)
        #expect(world.state == .ready)
        #expect(world.processes[world.newest] == .running)
        world.fire(.linger)
        world.drained()
        world.signalledEnd()
        #expect(world.processes.isEmpty)
        #expect(world.state == .ready)
    }

    @Test func useRemote_keep_leavesItRunning() {
        var world = World.ready(.sample { $0.remote = Service.sampleRemote })
        world.command { .use(.remote, keep: true, $0) }
        #expect(world.timers.isEmpty)
        let back = world.command { .use(.local, keep: false, $0) }
        #expect(world.outcomes[back] == .done)
        #expect(world.backends == [1])
    }

    @Test func useLocal_remoteServesUntilItIsReady() {
        var world = World(.sample { $0.remote = Service.sampleRemote }, target: .remote)
        world.command { .start($0) }
        #expect(world.front == .remote)
        #expect(world.processes.isEmpty)
        let ticket = world.command { .use(.local, keep: false, $0) }
        #expect(world.front == .remote)
        #expect(world.outcomes[ticket] == nil)
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done)
        #expect(world.backends == [1])
    }

    @Test func useLocal_failsToStart_remoteServesOn() {
        var world = World(.sample { $0.remote = Service.sampleRemote }, target: .remote)
        world.command { .start($0) }
        let ticket = world.command { .use(.local, keep: false, $0) }
        world.spawned()
        world.exit(world.newest, .exited(1))
        #expect(world.outcomes[ticket] == .failed("it exited with status 1 before it was ready"))
        #expect(world.front == .remote)
        #expect(world.timers.isEmpty)
        #expect(world.processes.isEmpty)
    }

    @Test func use_whatItLacks_saysWhatToAdd() {
        var world = World.ready()
        let ticket = world.command { .use(.remote, keep: false, $0) }
        #expect(
            world.outcomes[ticket]
                == .failed("reader has no remote; give its entry in the manifest a `remote`"))
    }

    @Test func remote_failsAndRecovers() {
        var world = World(.sample { $0.remote = Service.sampleRemote }, target: .remote)
        world.command { .start($0) }
        world.send(.remoteFailed(reason: "connection refused"))
        #expect(world.state == .unreachable)
        #expect(world.reason == "connection refused")
        #expect(world.front == .remote)
        world.send(.remoteSucceeded)
        #expect(world.state == .ready)
    }

    @Test func configure_whatRuns_isRestartedWithTheNewSettings() {
        var world = World.ready()
        let changed = Service.sample { $0.stop.signal = 2 }
        let ticket = world.command { .configure(changed, $0) }
        world.drained()
        #expect(world.effects.contains(.signal(world.newest, 2, .group)))
        world.signalledEnd()
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done)
    }
}
