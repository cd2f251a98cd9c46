import EventLoop
import Platform
import TestSupport
import Testing

@Suite struct TimerTests {
    @Test(arguments: PollerBackend.allCases)
    func after_severalDelays_fireInOrder(_ backend: PollerBackend) {
        let order: [Int]? = onLoop(backend: backend) { loop, done in
            var seen: [Int] = []
            for delay in [30, 10, 20, 0] {
                loop.after(.milliseconds(delay)) {
                    seen.append(delay)
                    if seen.count == 4 { done(seen) }
                }
            }
        }
        #expect(order == [0, 10, 20, 30])
    }

    @Test func after_cancelled_doesNotFire() {
        let fired: Bool? = onLoop { loop, done in
            let timer = loop.after(.milliseconds(1)) { done(true) }
            timer.cancel()
            timer.cancel()
            #expect(!timer.isPending)
            loop.after(.milliseconds(5)) { done(false) }
        }
        #expect(fired == false)
    }

    @Test func after_notBeforeItsTime() {
        let waited: Duration? = onLoop { loop, done in
            let begin = Instant.now
            loop.after(.milliseconds(20)) { done(Instant.now - begin) }
        }
        #expect(waited! >= .milliseconds(20))
    }

    /// Random inserts and cancellations against a sorted list.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func heap_randomInsertsAndCancels_popsInOrder(_ seed: UInt64) {
        let result: Bool? = onLoop { loop, done in
            var random = SplitMix(seed)
            var expected: [Int: Int] = [:]
            var timers: [Int: Timer] = [:]
            var fired: [Int] = []
            for id in 0..<500 {
                let delay = Int.random(in: 0..<40, using: &random)
                expected[id] = delay
                timers[id] = loop.after(.milliseconds(delay)) { fired.append(id) }
                if id % 3 == 0, let victim = expected.keys.randomElement(using: &random) {
                    timers[victim]?.cancel()
                    expected[victim] = nil
                }
            }
            loop.after(.milliseconds(60)) {
                done(Set(fired) == Set(expected.keys) && fired.count == expected.count)
            }
        }
        #expect(result == true, "seed \(seed)")
    }
}

/// SplitMix64: the same numbers for the same seed.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
