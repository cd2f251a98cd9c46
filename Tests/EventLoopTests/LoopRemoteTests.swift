import EventLoop
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct LoopRemoteTests {
    @Test(arguments: PollerBackend.allCases)
    func post_fromManyThreads_eachRunsOnceInItsOrder(_ backend: PollerBackend) throws {
        let loop = try LoopThread("test", backend: backend)
        let seen = Mutex<[Int: [Int]]>([:])
        let threads = try (0..<4).map { thread in
            try PlatformThread("poster") {
                for number in 0..<1000 {
                    loop.remote.post { _ in seen.withLock { $0[thread, default: []].append(number) } }
                }
            }
        }
        for thread in threads { thread.join() }
        let finished = Handoff<Bool>()
        loop.remote.post { _ in finished.give(loop.remote.isCurrent) }
        #expect(finished.take(within: patience(.seconds(30))) == true)
        loop.stop()
        #expect(seen.withLock { $0 }.values.allSatisfy { $0 == Array(0..<1000) })
        #expect(seen.withLock { $0.count } == 4)
        #expect(!loop.remote.isCurrent)
    }

    @Test func handoff_nothingGiven_timesOut() {
        #expect(Handoff<Int>().take(within: .milliseconds(1)) == nil)
    }

    @Test func handoff_givenTwice_firstCounts() {
        let handoff = Handoff<Int>()
        handoff.give(1)
        handoff.give(2)
        #expect(handoff.take() == 1)
    }
}
