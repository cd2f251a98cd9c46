import Platform
import Synchronization
import Testing

@Suite struct WorkerThreadsTests {
    @Test func add_moreThanThreads_allIsDoneAndNeverMoreAtATime() {
        let workers = WorkerThreads("worker", most: 3)
        let seen = Mutex((now: 0, most: 0))
        let isDone = PlatformSemaphore()
        for _ in 0..<200 {
            workers.add {
                seen.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                PlatformThread.yield()
                seen.withLock { $0.now -= 1 }
                isDone.signal()
            }
        }
        for _ in 0..<200 { isDone.wait() }
        #expect((1...3).contains(seen.withLock { $0.most }))
    }

    @Test func reinforce_whileAllAreStuck_othersGoOn() {
        let workers = WorkerThreads("worker", most: 1)
        let (isStuck, release, isDone) = (PlatformSemaphore(), PlatformSemaphore(), PlatformSemaphore())
        workers.add {
            isStuck.signal()
            release.wait()
        }
        isStuck.wait()
        workers.add { isDone.signal() }
        workers.reinforce(after: .seconds(60))
        #expect(!isDone.wait(within: .milliseconds(20)), "not stuck for long enough")
        workers.reinforce(after: .zero)
        isDone.wait()
        release.signal()
    }

    @Test func add_oneThread_worksInTheOrderOfAdding() {
        let workers = WorkerThreads("worker", most: 1)
        let order = Mutex<[Int]>([])
        let isDone = PlatformSemaphore()
        for number in 0..<100 {
            workers.add {
                order.withLock { $0.append(number) }
                isDone.signal()
            }
        }
        for _ in 0..<100 { isDone.wait() }
        #expect(order.withLock { $0 } == Array(0..<100))
    }
}
