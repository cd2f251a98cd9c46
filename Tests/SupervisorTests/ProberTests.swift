import EventLoop
import Manifest
import Platform
import TestSupport
import Testing

@testable import Supervisor

@Suite struct ProberTests {
    @Test func http_readyOnceItAnswersWell() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(.fixture(["sleep", "30", "serve", "http"]) { $0.ready = ReadyProbe(kind: .http("/healthz")) })
            ])
            try! rig.supervisor.start("reader") { outcome in
                rig.finish { done("\(outcome)") }
            }
        }
        #expect(result == "done")
    }

    @Test func http_badAnswer_unreadyAfterTheTimeoutWithItsStatus() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture(["serve", "http"]) {
                        $0.ready = ReadyProbe(
                            kind: .http("/status/500"), interval: .milliseconds(20), timeout: .milliseconds(500))
                    })
            ])
            try! rig.supervisor.start("reader") { outcome in
                let state = rig.state("reader")!
                rig.finish { done("\(outcome) \(state)") }
            }
        }
        #expect(result == "failed(\"not ready after 500 ms: GET /status/500 answered 500\") unready")
    }

    @Test func http_programThatNeverAnswers_timesOutAndIsTriedAgain() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture(["serve", "mute"]) {
                        $0.ready = ReadyProbe(
                            kind: .http("/"), interval: .milliseconds(20), timeout: .milliseconds(1500))
                    })
            ])
            try! rig.supervisor.start("reader") { outcome in
                rig.finish { done("\(outcome)") }
            }
        }
        #expect(result == "failed(\"not ready after 1.5 s: it gave no answer to GET / within 1 s\")")
    }

    @Test func command_readyOnExitZero_inItsFolderAndEnvironment() {
        let folder = TemporaryFolder()
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture(["serve", "echo"]) { service in
                        service.directory = folder.path
                        service.ready = ReadyProbe(
                            kind: .command(.shell("test -e flag && test -n \"$PORT\"")), interval: .milliseconds(20))
                    })
            ])
            try! rig.supervisor.start("reader") { outcome in
                rig.finish { done("\(outcome)") }
            }
            rig.when({ rig.text("reader").contains("listening") }) {
                if rig.state("reader") == .starting { folder.write("flag", "") }
            }
        }
        #expect(result == "done")
    }

    @Test func command_thatHangs_isKilledWithItsGroup() {
        let folder = TemporaryFolder()
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            let trees = ProcessTrees(on: loop, children: rig.children)
            var probe: CommandProbe?
            probe = CommandProbe(
                .shell("echo $$ > pid; sleep 100 & wait"), of: .fixture([]) { $0.directory = folder.path },
                environment: ThisProcess.environment, marker: "x", limit: .milliseconds(300), on: loop, trees: trees
            ) { outcome in
                _ = probe
                let pid = folder.read("pid").flatMap { Int32($0.dropLast()) } ?? 0
                rig.whenExited({ pid > 0 && !ProcessTable.groupExists(pid) }) {
                    trees.close()
                    rig.finish { done("\(outcome)") }
                }
            }
        }
        #expect(result?.contains("its command did not end within 300 ms") == true, "\(result ?? "nothing")")
    }

    @Test func log_readyAtTheFirstLineThatMatches() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture(["say", "booting", "sleep", "20", "say", "ready now", "wait"]) {
                        $0.ready = ReadyProbe(kind: .log("ready now"))
                    })
            ])
            try! rig.supervisor.start("reader") { outcome in
                let text = rig.text("reader")
                rig.finish { done("\(outcome) \(text.contains("ready now"))") }
            }
        }
        #expect(result == "done true")
    }

    @Test func live_failsAndHeals() {
        let result: [ServiceState]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture(["serve", "http"]) {
                        $0.live = LiveProbe(kind: .http("/healthz"), interval: .milliseconds(20), failures: 2)
                    })
            ])
            try! rig.supervisor.start("reader") { _ in
                let port = rig.supervisor.status("reader")!.instances[0].port!
                rig.get("/fail", port)
                rig.when({ rig.state("reader") == .unready }) {
                    rig.get("/heal", port)
                    rig.when({ rig.state("reader") == .ready }) {
                        let states = rig.states["reader"]!
                        rig.finish { done(states) }
                    }
                }
            }
        }
        #expect(result == [.starting, .ready, .unready, .ready])
    }

    @Test func tcp_doesNotTouchTheProgramsAcceptQueue() {
        // The program listens and says so, but accepts nothing: a connect would be seen in the table.
        let result: [Int]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["listen", "wait"]))])
            try! rig.supervisor.start("reader") { outcome in
                let port = rig.supervisor.status("reader")!.instances[0].port!
                let connections = SocketTable.established(localPort: port)?.count ?? -1
                rig.finish { done([connections, outcome == .done ? 1 : 0]) }
            }
        }
        #expect(result == [0, 1])
    }

    @Test func tcp_listenerOfAGrandchild_counts() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(.fixture([]) { $0.run = .shell("setsid \(fixtureProgram) serve echo & wait") })
            ])
            try! rig.supervisor.start("reader") { outcome in
                rig.finish { done("\(outcome)") }
            }
        }
        #expect(result == "done")
    }

    @Test func instance_atRest_hasNoTimer() {
        // Ready, no live probe: the loop would wait for ever.
        let result: Bool? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["serve", "echo"]))])
            try! rig.supervisor.start("reader") { _ in
                rig.when({ rig.state("reader") == .ready }) {
                    let isIdle = rig.supervisor.timerCount == 0
                    rig.finish { done(isIdle) }
                }
            }
        }
        #expect(result == true)
    }
}

extension Rig {
    /// Asks a fixture for a path and forgets the answer.
    func get(_ path: String, _ port: Int) {
        var probe: HTTPProbe?
        probe = HTTPProbe("127.0.0.1", port, path: path, limit: .seconds(10), on: loop) { [weak self] _ in
            _ = probe
            probe = nil
            self?.check()
        }
    }

    /// Like `when`, tried again after each exit of a process.
    func whenExited(_ test: @escaping () -> Bool, _ body: @escaping () -> Void) {
        let observer = children.addObserver { [weak self] in self?.check() }
        when(test) { [children] in
            children.removeObserver(observer)
            body()
        }
    }
}

@Suite struct HTTPProbeTests {
    /// As where a container's port is published by another program: that accepts, and closes when nobody is behind it.
    @Test(arguments: [(false, "nothing listens yet behind port"), (true, "ready")])
    func connection_hasToStayOpenForAWhile(isKept: Bool, expected: String) {
        let result: String? = onLoop { loop, done in
            var kept: [Int32] = []
            let socket = try! loop.kernel.listen(at: .loopback(0))
            let port = loop.kernel.localAddress(socket)!.port!
            let listener = try! Listener(socket, on: loop) { descriptor in
                if isKept { kept.append(descriptor.release()) }
            }
            var probe: HTTPProbe?
            probe = HTTPProbe(
                "127.0.0.1", port, path: nil, quiet: .milliseconds(50), limit: .seconds(20), on: loop
            ) { result in
                _ = probe
                listener.close()
                for raw in kept { Descriptor(owning: raw).close() }
                switch result {
                case .success: done("ready")
                case .failure(let failure): done(failure.sentence.replacing(" \(port)", with: ""))
                }
            }
        }
        #expect(result == expected)
    }
}
