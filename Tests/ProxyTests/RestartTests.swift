import EventLoop
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Proxy

/// Rule 2 of contract §7: no request is refused or lost while a service restarts.
@Suite struct RestartTests {
    /// Clients that ask without pause, each on its own thread, until told to stop.
    private final class Load: Sendable {
        struct Outcome {
            var answers = 0
            var failures: [String] = []
            var goal: (answers: Int, reached: Handoff<Bool>)?
        }
        private let outcome = Mutex(Outcome())
        private let isOver = Atomic(false)
        private let threads: Mutex<[PlatformThread]> = Mutex([])

        init(_ port: Int, clients: Int, keepAlive: Bool) throws {
            for _ in 0..<clients {
                let thread = try PlatformThread("client") { self.ask(port, keepAlive) }
                threads.withLock { $0.append(thread) }
            }
        }

        /// Waits until `count` answers more have come.
        func waitForAnswers(_ count: Int) {
            let reached = Handoff<Bool>()
            outcome.withLock { outcome in
                outcome.goal = (outcome.answers + count, reached)
                if !outcome.failures.isEmpty { reached.give(false) }
            }
            _ = reached.take(within: patience(.seconds(30)))
        }

        func finish() -> Outcome {
            isOver.store(true, ordering: .relaxed)
            for thread in threads.withLock({ $0 }) { thread.join() }
            return outcome.withLock { $0 }
        }

        private func ask(_ port: Int, _ keepAlive: Bool) {
            var peer: Peer?
            while !isOver.load(ordering: .relaxed) {
                do {
                    let current = try peer ?? Peer(port: port)
                    try current.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    let head = try current.receive(until: "\r\n\r\n")
                    guard head.hasPrefix("HTTP/1.1 200 ") else { throw Peer.Failure.ended(soFar: head) }
                    _ = try current.receive(count: 3)
                    outcome.withLock { outcome in
                        outcome.answers += 1
                        if let goal = outcome.goal, outcome.answers >= goal.answers { goal.reached.give(true) }
                    }
                    peer = keepAlive ? current : nil
                } catch {
                    outcome.withLock { outcome in
                        outcome.failures.append("\(error)")
                        outcome.goal?.reached.give(false)
                    }
                    return
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func restarts_underLoad_loseNoRequest(keepAlive: Bool) throws {
        let mesh = try Mesh(["reader"])
        var server = try WebServer("r00", delay: .milliseconds(1))
        func pass(_ generation: Int) {
            let backend = Backend(instance: "reader.1", port: server.port)
            mesh.set("reader", .pass([backend], whenRefused: "refused in generation \(generation)"))
        }
        pass(0)
        let load = try Load(mesh.port("reader"), clients: 6, keepAlive: keepAlive)
        for generation in 1...20 {
            load.waitForAnswers(20)
            mesh.hold("reader")
            #expect(mesh.drain("reader", "reader.1").take(within: patience(.seconds(20))) == 0)
            mesh.on { $0.closeConnections("reader", instance: "reader.1") }
            server.stop()
            server = try WebServer("r\(generation + 10)", delay: .milliseconds(1))
            pass(generation)
        }
        load.waitForAnswers(20)
        let outcome = load.finish()
        #expect(outcome.failures == [])
        #expect(outcome.answers >= 400)
    }

    @Test func flips_underLoad_loseNoRequest() throws {
        let mesh = try Mesh(["reader"])
        let servers = [try WebServer("one"), try WebServer("two")]
        func pass(_ index: Int) {
            mesh.set(
                "reader", .pass([Backend(instance: "reader.\(index)", port: servers[index].port)], whenRefused: ""))
        }
        pass(0)
        let load = try Load(mesh.port("reader"), clients: 4, keepAlive: true)
        for flip in 1...50 {
            load.waitForAnswers(5)
            pass(flip % 2)
        }
        #expect(load.finish().failures == [])
    }

    @Test func everything_isFreed() throws {
        let mesh = try Mesh(["reader"], edges: ["purge>reader"])
        let server = try WebServer("one")
        let before = mesh.on { $0.loop.watchedCount }
        mesh.set("reader", .pass([Backend(instance: "reader.1", port: server.port)], whenRefused: ""))
        let load = try Load(mesh.port("reader"), clients: 4, keepAlive: false)
        load.waitForAnswers(40)
        _ = load.finish()
        mesh.hold("reader")
        let held = try mesh.call("reader", from: "purge")
        try held.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        mesh.settle()
        mesh.set("reader", .answer(reason: "stopped"))
        _ = try held.receiveAll()
        held.close()
        // The clients have closed; the proxy learns of it by and by.
        let deadline = Instant.now + patience(.seconds(10))
        while mesh.on({ $0.loop.watchedCount }) > before, Instant.now < deadline { mesh.settle() }
        #expect(mesh.on { $0.loop.watchedCount } == before)
        #expect(mesh.on { $0.activeConnections("reader") } == 0)
    }
}
