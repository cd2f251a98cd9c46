import Platform
import Synchronization
import Testing

@Suite struct PlatformGateTests {
    /// Two are inside together: each waits for the other before it leaves.
    @Test func together_twoThreads_bothAreInside() throws {
        let gate = PlatformGate()
        let (first, second) = (PlatformSemaphore(), PlatformSemaphore())
        let other = try PlatformThread("gate") {
            gate.together {
                first.signal()
                second.wait()
            }
        }
        gate.together {
            first.wait()
            second.signal()
        }
        other.join()
    }

    @Test func alone_amongMany_nobodyElseIsInside() throws {
        let gate = PlatformGate()
        let inside = Mutex((together: 0, wrong: 0))
        var threads: [PlatformThread] = []
        for _ in 0..<4 {
            threads.append(
                try PlatformThread("gate") {
                    for _ in 0..<500 {
                        gate.together {
                            inside.withLock { $0.together += 1 }
                            PlatformThread.yield()
                            inside.withLock { $0.together -= 1 }
                        }
                    }
                })
        }
        for _ in 0..<100 {
            gate.alone {
                inside.withLock { $0.wrong += $0.together }
                PlatformThread.yield()
                inside.withLock { $0.wrong += $0.together }
            }
        }
        for thread in threads { thread.join() }
        #expect(inside.withLock { $0.wrong } == 0)
    }
}
