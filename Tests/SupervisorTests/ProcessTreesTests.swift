import EventLoop
import Platform
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

    /// As nginx and redis leave one: nothing in its environment says whose it is.
    @Test func daemonWithoutEnvironment_isItsStartersAlone() throws {
        ThisProcess.becomeSubreaper()
        let result: [Bool]? = onLoop { loop, done in
            let children = try! Children(on: loop)
            let trees = ProcessTrees(on: loop, children: children)
            trees.spawn(Self.request(["detach", "pid", "wait"]), marker: "web", pipes: true) { result in
                let (web, pipes) = try! result.get()
                let daemon = number(saidTo: pipes!.take()!, loop)
                trees.spawn(Self.request(["exit", "0"]), marker: "probe") { result in
                    let probe = try! result.get().process
                    probe.onExit = { _, others in
                        trees.kill(probe)
                        let isSpared = others == 0 && exists(daemon)
                        let finish = {
                            trees.close()
                            children.close()
                            done([isSpared, exists(daemon)])
                        }
                        web.onExit = { _, others in if others == 0 { finish() } }
                        web.onGone = finish
                        trees.kill(web)
                    }
                }
            }
        }
        #expect(result == [true, false])
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

/// The number in the first line that a program says.
private func number(saidTo ends: consuming PipeEnds.Ends, _ loop: EventLoop) -> Int32 {
    guard case .bytes(let count) = try! loop.kernel.read(ends.output, into: loop.scratch) else { return 0 }
    return Int32(String(decoding: loop.scratch[..<count], as: UTF8.self).filter(\.isNumber)) ?? 0
}
