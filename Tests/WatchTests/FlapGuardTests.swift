import Platform
import Testing

@testable import Watch

@Suite struct FlapGuardTests {
    private func change(_ paths: String..., at seconds: Double) -> WatchChange {
        WatchChange(paths: paths, first: time(seconds), last: time(seconds))
    }

    private func time(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test func changesOfPeople_alwaysRebuild() {
        var flaps = FlapGuard()
        for second in stride(from: 0.0, to: 100, by: 2) {
            #expect(flaps.judge(change("main.c", at: second)) == .rebuild(cancels: true))
            flaps.buildBegan(at: time(second + 0.2))
            flaps.buildEnded(at: time(second + 0.4))
            flaps.processBegan(at: time(second + 0.5))
            flaps.processEnded(at: time(second + 0.6))
        }
    }

    @Test func newerChange_cancelsTheBuildForTheFormer() {
        var flaps = FlapGuard()
        #expect(flaps.judge(change("main.c", at: 0)) == .rebuild(cancels: true))
        flaps.buildBegan(at: time(0.2))
        #expect(flaps.judge(change("main.c", at: 5)) == .rebuild(cancels: true))
        flaps.buildBegan(at: time(5.2))
        #expect(flaps.judge(change("other.c", at: 8)) == .rebuild(cancels: true))
    }

    @Test func buildThatSomebodyAskedFor_isNotCancelled() {
        var flaps = FlapGuard()
        flaps.buildBegan(at: time(0))
        #expect(flaps.judge(change("main.c", at: 1)) == .rebuild(cancels: false))
    }

    @Test func quickBuildThatWritesWhatIsWatched_isLeftOutAfterAFew() {
        var flaps = FlapGuard()
        #expect(flaps.judge(change("main.c", at: 0)) == .rebuild(cancels: true))
        var verdicts: [FlapGuard.Verdict] = []
        for round in 0..<6 {
            let start = 1 + Double(round)
            flaps.buildBegan(at: time(start))
            flaps.processEnded(at: time(start + 0.2))
            verdicts.append(flaps.judge(change("made.c", at: start + 0.1)))
        }
        #expect(verdicts.prefix(3) == [.rebuild(cancels: false), .rebuild(cancels: false), .rebuild(cancels: false)])
        #expect(verdicts[3] == .leaveOut("made.c", isNew: true))
        #expect(verdicts[4] == .leaveOut("made.c", isNew: false))
        #expect(flaps.leftOut == ["made.c"])
        // Somebody's own change of it, and of others with it, still counts.
        #expect(flaps.judge(change("made.c", at: 100)) == .rebuild(cancels: true))
        flaps.buildBegan(at: time(101))
        #expect(flaps.judge(change("made.c", "main.c", at: 101.5)) == .rebuild(cancels: true))
    }

    @Test func longBuildThatWritesWhatIsWatched_comesToItsEnd() {
        var flaps = FlapGuard()
        #expect(flaps.judge(change("main.c", at: 0)) == .rebuild(cancels: true))
        var cancels = 0
        var isLeftOut = false
        for round in 0..<20 where !isLeftOut {
            let start = 1 + Double(round) * 10
            flaps.buildBegan(at: time(start))
            switch flaps.judge(change("made.c", at: start + 1)) {
            case .rebuild(true): cancels += 1
            case .rebuild(false): flaps.processEnded(at: time(start + 9))
            case .leaveOut: isLeftOut = true
            }
        }
        #expect(cancels == 3)
        #expect(isLeftOut)
    }

    @Test func programThatWritesAsItStarts_isLeftOut() {
        var flaps = FlapGuard()
        var verdict = flaps.judge(change("main.py", at: 0))
        for round in 0..<10 {
            let start = 1 + Double(round)
            flaps.processBegan(at: time(start))
            verdict = flaps.judge(change("state.json", at: start + 0.1))
            flaps.processEnded(at: time(start + 0.2))
        }
        #expect(verdict == .leaveOut("state.json", isNew: false))
    }
}
