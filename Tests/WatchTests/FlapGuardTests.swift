import Platform
import Testing

@testable import Watch

@Suite struct FlapGuardTests {
    private func change(_ paths: String..., at seconds: Double) -> WatchChange {
        WatchChange(paths: paths, first: time(seconds), last: time(seconds))
    }

    private func time(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    /// Builds and starts for half a second, writing what is given after a tenth.
    private func build(_ flaps: inout FlapGuard, at start: Double, writing paths: String...) -> FlapGuard.Verdict? {
        flaps.buildBegan(at: time(start))
        defer {
            flaps.buildEnded(at: time(start + 0.4))
            flaps.processBegan(at: time(start + 0.4))
            flaps.processReady(at: time(start + 0.5))
        }
        guard !paths.isEmpty else { return nil }
        let change = WatchChange(paths: paths, first: time(start + 0.1), last: time(start + 0.1))
        return flaps.judge(change, at: time(start + 0.2))
    }

    @Test func changesOfPeople_alwaysRebuild() {
        var flaps = FlapGuard()
        for second in stride(from: 0.0, to: 100, by: 3) {
            #expect(flaps.judge(change("main.c", at: second), at: time(second)) == .rebuild(cancels: true))
            _ = build(&flaps, at: second + 0.2)
        }
    }

    @Test func newerChange_cancelsTheBuildForTheFormer() {
        var flaps = FlapGuard()
        #expect(flaps.judge(change("main.c", at: 0), at: time(0)) == .rebuild(cancels: true))
        flaps.buildBegan(at: time(0.2))
        #expect(flaps.judge(change("main.c", at: 5), at: time(5)) == .rebuild(cancels: true))
        flaps.buildBegan(at: time(5.2))
        #expect(flaps.judge(change("other.c", at: 8), at: time(8)) == .rebuild(cancels: true))
    }

    @Test func buildThatSomebodyAskedFor_isNotCancelled() {
        var flaps = FlapGuard()
        flaps.buildBegan(at: time(0))
        #expect(flaps.judge(change("main.c", at: 1), at: time(1)) == .rebuild(cancels: false))
    }

    @Test func buildThatWritesWhatIsWatched_isLeftOutUntilItDoesNot() {
        var flaps = FlapGuard()
        let verdicts = (0..<8).map { build(&flaps, at: Double($0), writing: "made.c") }
        #expect(verdicts[..<3].allSatisfy { $0 == .rebuild(cancels: false) || $0 == .rebuild(cancels: true) })
        #expect(verdicts.contains(.leaveOut(isNew: true)) && verdicts.last == .leaveOut(isNew: false))
        #expect(flaps.leftOut == .files(["made.c"]))
        // Somebody's own change of it, and of others with it, still counts.
        #expect(flaps.judge(change("made.c", at: 100), at: time(100)) == .rebuild(cancels: true))
        #expect(build(&flaps, at: 101, writing: "made.c", "main.c") == .rebuild(cancels: true))
        #expect(build(&flaps, at: 102, writing: "made.c") == .leaveOut(isNew: false))
        _ = build(&flaps, at: 110)
        #expect(flaps.leftOut == .files(["made.c"]))
        _ = build(&flaps, at: 120)
        #expect(flaps.leftOut == nil)
    }

    /// As where files are looked at now and then, or the machine is busy.
    @Test func whatABuildHasWritten_isKnownThoughItIsToldLate() {
        var flaps = FlapGuard()
        var verdict: FlapGuard.Verdict?
        for round in 0..<10 where verdict != .leaveOut(isNew: true) {
            let start = Double(round) * 10
            _ = build(&flaps, at: start)
            verdict = flaps.judge(change("made.c", at: start + 0.1), at: time(start + 9))
        }
        #expect(verdict == .leaveOut(isNew: true))
    }

    @Test func longBuildThatWritesWhatIsWatched_comesToItsEnd() {
        var flaps = FlapGuard()
        #expect(flaps.judge(change("main.c", at: 0), at: time(0)) == .rebuild(cancels: true))
        var cancels = 0
        for round in 0..<20 where flaps.leftOut == nil {
            let start = 1 + Double(round) * 10
            flaps.buildBegan(at: time(start))
            switch flaps.judge(change("made\(round % 2).c", at: start + 1), at: time(start + 1)) {
            case .rebuild(true): cancels += 1
            case .rebuild(false), .leaveOut: flaps.buildEnded(at: time(start + 9))
            }
        }
        #expect(cancels == 3)
        #expect(flaps.leftOut == .everything)
    }

    @Test func buildThatWritesOtherFilesEachTime_isSuspendedAsAWhole() {
        var flaps = FlapGuard()
        let verdicts = (0..<30).map { build(&flaps, at: Double($0), writing: "app.\($0).js") }
        #expect(verdicts.contains(.leaveOut(isNew: true)) && verdicts.last == .leaveOut(isNew: false))
        #expect(flaps.leftOut == .everything)
        #expect(flaps.judge(change("main.c", at: 100), at: time(100)) == .rebuild(cancels: true))
    }

    /// Before it is ready, after that, and as it is stopped.
    @Test(arguments: [0.1, 1.5, -0.1]) func programThatWritesAsItStarts_isLeftOut(after delay: Double) {
        var flaps = FlapGuard()
        var verdict = flaps.judge(change("main.py", at: 0), at: time(0))
        for round in 1...30 where flaps.leftOut == nil {
            let start = Double(round) * 3
            flaps.processBegan(at: time(start))
            if delay < 1 { flaps.processReady(at: time(start + 0.5)) }
            verdict = flaps.judge(change("state.json", at: start + delay), at: time(start + 2.5))
        }
        #expect(verdict == .leaveOut(isNew: true))
        #expect(flaps.leftOut == .files(["state.json"]))
    }

    /// It crashes, or never listens where it should: whoever mends that is heeded.
    @Test func programThatNeverGetsReady_editsCount() {
        var flaps = FlapGuard()
        for second in stride(from: 0.0, to: 100, by: 3) {
            #expect(flaps.judge(change("main.py", at: second), at: time(second)) == .rebuild(cancels: true))
            flaps.processBegan(at: time(second + 0.2))
        }
    }
}
