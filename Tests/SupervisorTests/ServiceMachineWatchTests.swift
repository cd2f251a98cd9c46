import Manifest
import Platform
import Testing

@testable import Supervisor

@Suite struct ServiceMachineWatchTests {
    private static let built = Service.sample { $0.build = .shell("make") }

    @Test func filesChange_oldOneServesUntilTheBuildHasSucceeded() {
        var world = World.ready(Self.built)
        let old = world.newest
        world.send(.filesChanged(cancelsBuild: true))
        #expect(world.builds == [2] && world.serving == [old])
        world.endBuild(.succeeded)
        world.drained()
        world.signalledEnd()
        world.everythingGetsReady()
        #expect(world.newest != old && world.backends == [1] && world.violations.isEmpty)
    }

    @Test func filesChangeDuringABuild_thatIsCancelledAndBegunAnewOnce() {
        var world = World.ready(Self.built)
        let old = world.newest
        for _ in 0..<5 { world.send(.filesChanged(cancelsBuild: true)) }
        #expect(world.cancelled == [2] && world.builds == [2])
        world.endBuild(.cancelled)
        #expect(world.builds == [3] && world.serving == [old])
        world.endBuild(.succeeded)
        #expect(world.builds.isEmpty && world.draining == [old])
    }

    @Test func filesChangeDuringABuildThatIsToEnd_oneFollowsAndTheSwapWaitsForIt() {
        var world = World.ready(Self.built)
        let old = world.newest
        for _ in 0..<5 { world.send(.filesChanged(cancelsBuild: false)) }
        #expect(world.cancelled.isEmpty)
        world.endBuild(.succeeded)
        #expect(world.builds == [3] && world.serving == [old])
        world.endBuild(.succeeded)
        #expect(world.builds.isEmpty && world.draining == [old])
    }

    @Test func filesChange_restartThatWaitsIsAnsweredByTheNextBuild() {
        var world = World.ready(Self.built)
        let ticket = world.command { .restart($0) }
        world.send(.filesChanged(cancelsBuild: true))
        world.endBuild(.cancelled)
        #expect(world.outcomes[ticket] == nil)
        world.endBuild(.succeeded)
        world.drained()
        world.signalledEnd()
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done)
    }

    @Test func filesChange_buildThatSomebodyAskedForIsNotCancelled() {
        var world = World.ready(Self.built)
        let ticket = world.command { .build($0) }
        world.send(.filesChanged(cancelsBuild: true))
        #expect(world.cancelled.isEmpty)
        world.endBuild(.succeeded)
        #expect(world.outcomes[ticket] == .done && world.builds == [3])
    }

    @Test func filesChange_failedBuild_isHealedByTheNext() {
        var world = World.ready(Self.built)
        let old = world.newest
        world.send(.filesChanged(cancelsBuild: true))
        world.endBuild(.failed(reason: "no"))
        #expect(world.serving == [old] && world.machine.buildFailure == "no" && world.timers.isEmpty)
        world.send(.filesChanged(cancelsBuild: true))
        world.endBuild(.succeeded)
        #expect(world.machine.buildFailure == nil && world.draining == [old])
    }

    @Test func filesChange_nothingServing_isTriedAtOnce() {
        var world = World(Self.built)
        world.command { .start($0) }
        world.endBuild(.failed(reason: "no"))
        #expect(world.state == .failed && !world.timers.isEmpty)
        world.send(.filesChanged(cancelsBuild: true))
        #expect(world.builds == [2] && world.timers.isEmpty)
    }

    @Test func filesChange_whatIsStoppedOrRemote_staysSo() {
        var stopped = World.ready(Self.built)
        stopped.command { .stop($0) }
        stopped.send(.filesChanged(cancelsBuild: true))
        #expect(stopped.builds.isEmpty && stopped.processes.values.allSatisfy { $0 == .running })
        var service = Self.built
        service.remote = Service.sampleRemote
        var remote = World(service, target: .remote)
        remote.command { .start($0) }
        remote.send(.filesChanged(cancelsBuild: true))
        #expect(remote.builds.isEmpty && remote.processes.isEmpty)
    }

    @Test func filesChange_buildThatWaitsForItsTurnMissesNothing() {
        var world = World.ready(Self.built)
        world.isBusy = true
        world.send(.filesChanged(cancelsBuild: true))
        let ticket = world.command { .build($0) }
        for cancels in [true, false, true] { world.send(.filesChanged(cancelsBuild: cancels)) }
        #expect(world.builds == [2] && world.cancelled.isEmpty)
        world.beginBuild()
        world.endBuild(.succeeded)
        #expect(world.builds.isEmpty && world.outcomes[ticket] == .done && !world.draining.isEmpty)
    }

    @Test func build_isToldToHaveStartedOnceItHas() {
        var world = World(Self.built)
        world.isBusy = true
        world.command { .start($0) }
        #expect(!world.effects.contains(.happened(.buildStarted)))
        #expect(world.state == .building && world.reason == "its build waits until others have ended")
        world.send(.buildBegan(1))
        #expect(world.effects.contains(.happened(.buildStarted)) && world.reason == "it is being built")
    }

    @Test(arguments: [true, false]) func filesChangeWhileRemoteServes_localIsBuiltBeforeItTakesOver(keeps: Bool) {
        var service = Self.built
        service.remote = Service.sampleRemote
        var world = World.ready(service)
        let old = world.newest
        world.command { .use(.remote, keep: keeps, $0) }
        world.send(.filesChanged(cancelsBuild: true))
        #expect(world.builds.isEmpty && world.front == .remote)
        let ticket = world.command { .use(.local, keep: false, $0) }
        #expect(world.builds == [2] && world.front == .remote)
        world.endBuild(.succeeded)
        world.drained()
        world.signalledEnd()
        world.everythingGetsReady()
        #expect(world.outcomes[ticket] == .done && world.serving == [world.newest] && world.newest != old)
        // Nothing has changed since: the next time it takes over as it is.
        world.command { .use(.remote, keep: keeps, $0) }
        world.command { .use(.local, keep: false, $0) }
        #expect(world.builds.isEmpty && world.serving == [world.newest])
    }

    @Test func slots_letSoManyBuildAtATime() {
        let slots = BuildSlots(2)
        var begun: [String] = []
        for name in ["a", "b", "c"] { _ = slots.enter { begun.append(name) } }
        let waiting = slots.enter { begun.append("d") }
        _ = slots.enter { begun.append("e") }
        #expect(begun == ["a", "b"])
        #expect(slots.forget(waiting) && !slots.forget(waiting))
        slots.leave()
        slots.leave()
        #expect(begun == ["a", "b", "c", "e"])
        slots.leave()
        slots.leave()
        _ = slots.enter { begun.append("f") }
        #expect(begun.last == "f")
    }
}
