import EventLoop
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Supervisor

@Suite struct ProcessTreesTests {
    private static func request(_ verbs: [String]) -> SpawnRequest {
        SpawnRequest(
            path: fixtureProgram, arguments: ["fixture"] + verbs, environment: ThisProcess.environment,
            directory: "/")
    }

    @Test func exit_ofALoneProcess_tellsItsStatusAndNobodyLeft() {
        let result: String? = onLoop { loop, done in
            let children = try! Children(on: loop)
            let trees = ProcessTrees(on: loop, children: children)
            trees.spawn(Self.request(["exit", "7"]), marker: "alone") { result in
                let process = try! result.get().process
                process.onExit = { status, others in
                    trees.close()
                    children.close()
                    done("\(status) \(others) \(process.isGone)")
                }
            }
        }
        #expect(result == "exit code 7 0 true")
    }

    @Test func orphanWithoutEnvironment_isClaimedByTheLeaderThatEnded() throws {
        ThisProcess.becomeSubreaper()
        let known = Mutex<Int32>(0)
        let result: [Int]? = onLoop { loop, done in
            let children = try! Children(on: loop)
            // Only that one: other tests have orphans too.
            let trees = ProcessTrees(on: loop, children: children) { entry in
                known.withLock {
                    $0 = ProcessTable.program(of: entry.pid) == "fixture" && isBare(entry) ? entry.pid : $0
                }
                return known.withLock { $0 } == entry.pid
            }
            trees.spawn(Self.request(["bare", "exit", "0"]), marker: "bare") { result in
                let process = try! result.get().process
                var left = -1
                process.onExit = { _, others in
                    left = others
                    trees.kill(process)
                }
                process.onGone = {
                    trees.close()
                    children.close()
                    done([left, exists(known.withLock { $0 }) ? 1 : 0])
                }
            }
        }
        #expect(result == [1, 0])
    }

    @Test func markerOfALivingProcess_isFound() {
        let result: String? = onLoop { loop, done in
            let children = try! Children(on: loop)
            let trees = ProcessTrees(on: loop, children: children)
            let source = OutputSource(service: "reader", instance: 1, generation: 1)
            trees.spawn(Self.request(["say", "up", "wait"]), marker: "project/reader.1#1", source: source) { result in
                let (process, pipes) = try! result.get()
                // Until exec is over the environment can't be read.
                let ends = pipes!.take()!
                _ = try! Kernel.real.read(ends.output, into: loop.scratch)
                let marker = ProcessTable.entry(process.pid).flatMap { ProcessTrees.marker(of: $0) }
                process.onExit = { status, _ in
                    trees.close()
                    children.close()
                    done("\(marker ?? "none") \(status)")
                }
                trees.kill(process)
            }
        }
        #expect(result == "project/reader.1#1 SIGKILL")
    }
}

private func isBare(_ entry: ProcessEntry) -> Bool { ProcessTable.environment(of: entry.pid)?.isEmpty ?? true }
