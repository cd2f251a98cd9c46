import Manifest
import Platform
import Testing

@testable import Supervisor

@Suite struct ServiceMachineStartTests {
    @Test func start_fromNothing_holdsUntilReadyAndThenPasses() {
        var world = World()
        let ticket = world.command { .start($0) }
        #expect(world.state == .starting)
        #expect(world.holds)
        world.spawned()
        #expect(world.probing.count == 1)
        world.send(.probePassed(world.newest, host: "::1"))
        #expect(world.state == .ready)
        #expect(world.reason == nil)
        #expect(
            world.front
                == .pass(
                    [ServiceBackend(run: world.newest, host: "::1", port: 10001)],
                    whenRefused: "reader does not accept connections on its port"))
        #expect(world.outcomes[ticket] == .done)
        #expect(world.timers.isEmpty)
    }

    @Test func start_ofWhatRuns_isDoneAtOnce() {
        var world = World.ready()
        let ticket = world.command { .start($0) }
        #expect(world.outcomes[ticket] == .done)
        #expect(world.keys.count == 1)
    }

    @Test func start_withBuild_buildsFirst() {
        var world = World(.sample { $0.build = .shell("make") })
        world.command { .start($0) }
        #expect(world.state == .building)
        #expect(world.holds)
        #expect(world.processes.isEmpty)
        world.endBuild(.succeeded)
        #expect(world.state == .starting)
        #expect(world.keys.count == 1)
    }

    @Test func start_buildFails_failsTheTicketAndTriesAgain() {
        var world = World(.sample { $0.build = .shell("make") })
        let ticket = world.command { .start($0) }
        world.endBuild(.failed(reason: "the build exited with 2"))
        #expect(world.outcomes[ticket] == .buildFailed("the build exited with 2"))
        #expect(world.state == .failed)
        #expect(world.holds, "the next try is half a second away")
        #expect(world.timers[.rebuild] == .milliseconds(500))
        world.fire(.rebuild)
        world.endBuild(.failed(reason: "the build exited with 2"))
        #expect(world.answers)
        world.fire(.rebuild)
        #expect(world.holds)
        world.fire(.rebuild)
        world.endBuild(.succeeded)
        world.everythingGetsReady()
        #expect(world.state == .ready)
    }

    @Test func start_waitsForDependency_pendingUntilMet() {
        var world = World()
        world.send(.dependencies(.waiting(reason: "waits for db", blocksBuild: false)))
        let ticket = world.command { .start($0) }
        #expect(world.state == .pending)
        #expect(world.reason == "waits for db")
        #expect(world.holds)
        #expect(world.processes.isEmpty)
        world.send(.dependencies(.met))
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done)
    }

    @Test func start_dependencyFailed_failsTheTicketButGoesOnWaiting() {
        var world = World()
        world.send(.dependencies(.blocked(reason: "db has failed", blocksBuild: false)))
        let ticket = world.command { .start($0) }
        #expect(world.outcomes[ticket] == .failed("db has failed"))
        #expect(world.state == .pending)
        world.send(.dependencies(.met))
        #expect(world.state == .starting)
    }

    @Test func build_beforeDependencies_unlessOneMustHaveCompleted() {
        let service = Service.sample { $0.build = .shell("make") }
        var early = World(service)
        early.send(.dependencies(.waiting(reason: "waits for db", blocksBuild: false)))
        early.command { .start($0) }
        #expect(early.builds == [1])
        early.endBuild(.succeeded)
        #expect(early.state == .pending)

        var late = World(service)
        late.send(.dependencies(.waiting(reason: "waits for generator", blocksBuild: true)))
        late.command { .start($0) }
        #expect(late.builds.isEmpty)
        #expect(late.state == .pending)
    }

    @Test func worker_withoutFront_isReadyOnceStarted() {
        var world = World(.sample { $0.listens = .nothing })
        let ticket = world.command { .start($0) }
        world.spawned()
        #expect(world.state == .ready)
        #expect(world.outcomes[ticket] == nil, "it may end at once")
        world.fire(.trial(world.newest))
        #expect(world.outcomes[ticket] == .done)
        #expect(world.front == nil)
    }

    @Test func worker_thatEndsAtOnce_wasNotStarted() {
        var world = World(.sample { $0.listens = .nothing })
        let ticket = world.command { .start($0) }
        world.spawned()
        world.exit(world.newest, .exited(7))
        #expect(world.outcomes[ticket] == .failed("it exited with status 7"))
        #expect(world.timers.keys.filter { $0 != .retry(instance: 1) } == [])
    }

    @Test func oneShot_exitsWithZero_completes() {
        var world = World(
            .sample {
                $0.oneShot = true
                $0.restart = .always
            })
        let ticket = world.command { .start($0) }
        world.spawned()
        #expect(world.timers.isEmpty)
        #expect(world.outcomes[ticket] == nil)
        world.exit(world.newest, .exited(0))
        #expect(world.outcomes[ticket] == .done)
        #expect(world.state == .completed)
        #expect(world.answers)
    }

    @Test func readyTimeout_passes_unreadyAndProbedOn() {
        var world = World()
        let ticket = world.command { .start($0) }
        world.spawned()
        let key = world.newest
        world.send(.probeFailed(key, reason: "nothing listens on port 10001"))
        world.fire(.ready(key))
        #expect(world.state == .unready)
        #expect(world.backends == [1], "it may accept something all the same")
        #expect(world.outcomes[ticket] == .failed("not ready after 30 s: nothing listens on port 10001"))
        guard case .pass(_, _, areReady: false) = world.front else {
            Issue.record("\(String(describing: world.front))")
            return
        }
        #expect(world.probing == [key])
        world.send(.probePassed(key, host: nil))
        #expect(world.state == .ready)
    }

    @Test func readyTimeout_whileTheProgramIsStillBeingExecuted_saysSo() {
        var world = World()
        let ticket = world.command { .start($0) }
        let key = world.newest
        world.fire(.ready(key))
        #expect(world.state == .unready)
        #expect(world.outcomes[ticket] == .failed("not ready after 30 s: the system has not executed its program yet"))
        world.spawned()
        #expect(world.state == .starting, "its time begins anew")
        #expect(world.timers[.ready(key)] == .seconds(30))
        #expect(world.probing == [key])
        world.send(.probePassed(key, host: nil))
        #expect(world.state == .ready)
    }

    @Test func liveProbe_failsOftenEnough_unreadyUntilItPasses() {
        var world = World.ready(
            .sample {
                $0.live = LiveProbe(kind: .http("/healthz"), interval: .seconds(5), failures: 2)
            })
        let key = world.newest
        world.send(.probeFailed(key, reason: "503"))
        #expect(world.state == .ready)
        world.send(.probeFailed(key, reason: "503"))
        #expect(world.state == .unready)
        #expect(world.reason == "503")
        world.send(.probePassed(key, host: nil))
        #expect(world.state == .ready)
    }
}
