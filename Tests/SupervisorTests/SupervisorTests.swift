import EventLoop
import Manifest
import Platform
import Supervisor
import TestSupport
import Testing

@Suite struct SupervisorTests {
    @Test func start_server_readyWhenItListensItself() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["say", "hello", "serve", "echo"]))])
            try! rig.supervisor.start("reader") { outcome in
                let status = rig.supervisor.status("reader")!
                let instance = status.instances[0]
                let backend = ServiceBackend(
                    run: RunKey(instance: 1, generation: 1), host: "127.0.0.1", port: instance.port!)
                let passes =
                    rig.fronts["reader"]
                    == .pass([backend], whenRefused: "reader does not accept connections on its port")
                let isKnown = exists(instance.pid!) && instance.started != nil
                rig.when({ rig.text("reader").contains("listening \(instance.port!)\n") }) {
                    rig.finish {
                        done(
                            "\(outcome) \(status.state) \(passes) \(isKnown) \(rig.text("reader").hasPrefix("hello\n"))"
                        )
                    }
                }
            }
        }
        #expect(result == "done ready true true true")
    }

    @Test func stop_whileTheProgramIsBeingStarted_endsItOnceItIsThere() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["wait"]))])
            try! rig.supervisor.start("reader")
            let before = rig.pid("reader")
            try! rig.supervisor.stop("reader") { outcome in
                let exits = rig.happenings.compactMap { happening in
                    if case .exited(_, let exit) = happening.what { exit.inWords } else { nil }
                }
                let pids = rig.happenings.compactMap { happening in
                    if case .started(_, let pid, _) = happening.what { pid } else { nil }
                }
                let state = rig.state("reader")!
                let isLeft = pids.contains { exists($0) }
                rig.finish { done("\(before == nil) \(outcome) \(state) \(exits) \(pids.count) \(isLeft)") }
            }
        }
        #expect(result == "true done stopped [\"it was ended by SIGTERM\"] 1 false")
    }

    @Test func stop_whileTheBuildIsBeingStarted_cancelsItOnceItIsThere() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            let build = Command.argv([fixtureProgram, "say", "building", "wait"])
            rig.supervisor.add([.init(.fixture(["wait"]) { $0.build = build })])
            try! rig.supervisor.start("reader")
            try! rig.supervisor.stop("reader") { outcome in
                rig.when({ rig.ended.contains { $0.instance == nil } }) {
                    let state = rig.state("reader")!
                    rig.finish { done("\(outcome) \(state) \(rig.pid("reader") == nil)") }
                }
            }
        }
        #expect(result == "done stopped true")
    }

    @Test func scale_toMoreThanAMachineCanBear_isRefused() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["wait"]))])
            do throws(SupervisorError) {
                try rig.supervisor.scale("reader", to: .max)
                rig.finish { done("done") }
            } catch {
                let failure = error
                rig.finish { done("\(failure)") }
            }
        }
        #expect(result == "reader can't have more than 1000 instances; give a smaller number")
    }

    @Test func start_onTheIPv6Loopback_frontIsToldSo() throws {
        try #require(hasLoopback6())
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["bind", "::1", "serve", "echo"]))])
            try! rig.supervisor.start("reader") { outcome in
                var host = ""
                if case .pass(let backends, _, _) = rig.fronts["reader"] { host = backends[0].host }
                rig.finish { done("\(outcome) \(host)") }
            }
        }
        #expect(result == "done ::1")
    }

    @Test func process_startsClean_stdinOpenAndMaskEmpty() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            let script = "grep -E 'Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | wc -l; exec sleep 100"
            rig.supervisor.add([
                .init(
                    .fixture([]) { service in
                        service.run = .shell(script)
                        service.listens = .nothing
                    })
            ])
            try! rig.supervisor.start("reader")
            rig.when({ rig.text("reader").filter { $0 == "\n" }.count == 3 }) {
                let text = rig.text("reader")
                rig.finish { done(text) }
            }
        }
        // From 32 on they are the C library's and the real-time ones, which nobody here touches.
        let lines = (result ?? "").split(separator: "\n").map { line in
            UInt64(line.split(separator: "\t").last!, radix: 16)! & 0x7fff_ffff
        }
        #expect(lines == [0, 0, 4], "no signal blocked or ignored; descriptors 0, 1, 2 and the folder itself")
    }

    @Test func stop_treeThatIgnoresTheSignal_isGoneWhenDone() {
        let result: [Int32]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture(["ignore", "TERM", "child", "setsid", "daemon", "serve", "echo"]) {
                        $0.stop.timeout = .milliseconds(100)
                    })
            ])
            try! rig.supervisor.start("reader") { _ in
                rig.when({ rig.text("reader").contains("listening") }) {
                    let pids = rig.pids("reader")
                    let alive = pids.filter { exists($0) }
                    try! rig.supervisor.stop("reader") { _ in
                        let left = pids.filter { exists($0) }
                        rig.finish { done([Int32(alive.count), Int32(left.count)]) }
                    }
                }
            }
        }
        #expect(result == [4, 0])
    }

    @Test func stop_leaderEndsOthersDoNot_othersHearTheSignalToo() {
        // The grandchild of a session of its own does not get what is sent to the group.
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            let run = "setsid \(fixtureProgram) tell TERM trap TERM 0 0 say up wait & exec \(fixtureProgram) serve echo"
            rig.supervisor.add([.init(.fixture([]) { $0.run = .shell(run) })])
            try! rig.supervisor.start("reader") { _ in
                rig.when({ rig.text("reader").contains("up") }) {
                    try! rig.supervisor.stop("reader") { outcome in
                        rig.when({ rig.text("reader").contains("got TERM") }) {
                            rig.finish { done("\(outcome)") }
                        }
                    }
                }
            }
        }
        #expect(result == "done")
    }

    @Test func stop_daemonHoldsThePipe_doesNotWaitForItsEnd() {
        let result: Bool? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(.fixture(["daemon", "serve", "echo"]) { $0.stop.timeout = .milliseconds(50) })
            ])
            try! rig.supervisor.start("reader") { _ in
                try! rig.supervisor.stop("reader") { outcome in
                    let hasEnded = rig.ended.count == 1
                    rig.finish { done(outcome == .done && hasEnded) }
                }
            }
        }
        #expect(result == true)
    }

    @Test func restart_replacesTheProcessOthersKeepTheirPids() {
        let result: [Bool]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add(["a", "b", "c"].map { .init(.fixture(["serve", "echo"], name: $0)) })
            try! rig.supervisor.start(["a", "b", "c"])
            rig.when({ ["a", "b", "c"].allSatisfy { rig.state($0) == .ready } }) {
                let before = ["a", "b", "c"].map { rig.pid($0) }
                try! rig.supervisor.restart("b") { outcome in
                    let after = ["a", "b", "c"].map { rig.pid($0) }
                    let same = zip(before, after).map { $0 == $1 }
                    rig.finish { done(same + [outcome == .done, rig.drains == ["b.1"]]) }
                }
            }
        }
        #expect(result == [true, false, true, true, true])
    }

    @Test func restart_hundredTimesConcurrently_allCompleteOneProcessLeft() {
        let result: [Int]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["serve", "echo"]))])
            var completed = 0
            var good = 0
            for _ in 0..<100 {
                try! rig.supervisor.restart("reader") { outcome in
                    completed += 1
                    if outcome == .done { good += 1 }
                    rig.check()
                }
            }
            rig.when({ completed == 100 }) {
                let starts = rig.happenings.filter { if case .started = $0.what { true } else { false } }.count
                rig.finish { done([good, starts <= 2 ? 0 : starts]) }
            }
        }
        #expect(result == [100, 0])
    }

    @Test func build_failure_oldOneServesOnAndOutputIsAttached() {
        let folder = TemporaryFolder()
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture(["serve", "echo"]) { service in
                        service.build = .shell("test ! -e broken || { echo no good; exit 2; }")
                        service.directory = folder.path
                    })
            ])
            try! rig.supervisor.start("reader") { _ in
                let pid = rig.pid("reader")
                folder.write("broken", "")
                try! rig.supervisor.restart("reader") { outcome in
                    let same = rig.pid("reader") == pid && rig.state("reader") == .ready
                    rig.when({ rig.text("reader").contains("no good") }) {
                        rig.finish { done("\(outcome) \(same)") }
                    }
                }
            }
        }
        #expect(result == "buildFailed(\"the build of reader failed: it exited with status 2\") true")
    }

    @Test func stop_duringBuild_endsItsWholeTree() {
        let result: [Bool]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(.fixture(["serve", "echo"]) { $0.build = .argv([fixtureProgram, "pid", "child", "wait"]) })
            ])
            try! rig.supervisor.start("reader") { started in
                rig.when({ rig.state("reader") == .stopped }) {
                    let gone = rig.pids("reader").allSatisfy { !exists($0) }
                    rig.finish { done([started == .failed("reader was stopped meanwhile"), gone]) }
                }
            }
            rig.when({ rig.text("reader").contains("child") }) { try! rig.supervisor.stop("reader") }
        }
        #expect(result == [true, true])
    }

    @Test func portTaken_startsAgainOnAnother() throws {
        let stranger = try Kernel.real.listen(at: .loopback(0))
        let taken = try #require(Kernel.real.localAddress(stranger)?.port)
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.nextPorts = [taken]
            rig.supervisor.add([.init(.fixture(["serve", "echo"]))])
            try! rig.supervisor.start("reader") { outcome in
                let instance = rig.supervisor.status("reader")!.instances[0]
                let isOther = instance.port != taken
                rig.finish { done("\(outcome) \(isOther) \(instance.restarts) \(rig.notes.count)") }
            }
        }
        #expect(result == "done true 0 1")
    }

    @Test func strangersListener_isNotBelieved() throws {
        let stranger = try Kernel.real.listen(at: .loopback(0))
        let taken = try #require(Kernel.real.localAddress(stranger)?.port)
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.nextPorts = [taken]
            rig.supervisor.add([
                .init(.fixture(["wait"]) { $0.ready = ReadyProbe(kind: .tcp, timeout: .milliseconds(100)) })
            ])
            try! rig.supervisor.start("reader") { outcome in
                rig.finish { done("\(outcome)") }
            }
        }
        let expected = "not ready after 100 ms: port \(taken) is held by"
        #expect(result?.contains(expected) == true, "\(result ?? "nothing")")
        #expect(result?.contains("(pid \(ThisProcess.id))") == true)
    }

    @Test func crash_isRetriedUntilItHolds() {
        let folder = TemporaryFolder()
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["once", folder.path + "/flag", "3", "serve", "echo"]))])
            try! rig.supervisor.start("reader") { outcome in
                rig.when({ rig.state("reader") == .ready }) {
                    let restarts = rig.supervisor.status("reader")!.instances[0].restarts
                    rig.finish { done("\(outcome) \(restarts)") }
                }
            }
        }
        #expect(result == "failed(\"it exited with status 3 before it was ready\") 1")
    }

    @Test func programs_thatCannotBeStarted_sayWhatToMend() {
        let folder = TemporaryFolder()
        folder.write("plain", "")
        let cases: [(Command, String, String)] = [
            (.argv(["./missing"]), folder.path, "\(folder.path)/missing does not exist; build it, or mend `run`"),
            (.argv(["no-such-program"]), folder.path, "there is no program no-such-program on its PATH"),
            (.argv(["./plain"]), folder.path, "plain is not executable; `chmod +x \(folder.path)/plain`"),
            (.shell("true"), folder.path + "/none", "its folder \(folder.path)/none does not exist"),
        ]
        for (command, directory, expected) in cases {
            let result: String? = onLoop { loop, done in
                let rig = Rig(loop)
                rig.supervisor.add([
                    .init(
                        .fixture([]) { service in
                            service.run = command
                            service.directory = directory
                        })
                ])
                try! rig.supervisor.start("reader") { outcome in
                    rig.finish { done("\(outcome)") }
                }
            }
            #expect(result?.contains(expected) == true, "\(result ?? "nothing")")
        }
    }

    @Test func killAll_whileDrainingAndIgnoring_leavesNothing() {
        let result: Int? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add(
                (1...5).map {
                    .init(.fixture(["ignore", "TERM", "setsid", "daemon", "serve", "echo"], name: "s\($0)"))
                })
            try! rig.supervisor.start(rig.supervisor.names)
            let names = rig.supervisor.names
            rig.when({ names.allSatisfy { rig.state($0) == .ready && rig.text($0).contains("listening") } }) {
                let pids = names.flatMap { rig.pids($0) }
                rig.supervisor.stopAll {}
                rig.supervisor.killAll {
                    let left = pids.filter { exists($0) }.count
                    rig.finish { done(left) }
                }
            }
        }
        #expect(result == 0)
    }

    @Test func stopAll_dependentsGoFirst() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(.fixture(["serve", "echo"], name: "db")),
                .init(
                    .fixture(["serve", "echo"], name: "web") {
                        $0.dependsOn = [Dependency(service: "db", condition: .ready)]
                    }),
            ])
            try! rig.supervisor.start(["web"])
            rig.when({ rig.state("web") == .ready }) {
                rig.supervisor.stopAll {
                    let exits = rig.happenings.filter { if case .exited = $0.what { true } else { false } }.map(
                        \.service)
                    rig.finish { done(exits.joined(separator: " ")) }
                }
            }
        }
        #expect(result == "web db")
    }
}

extension Rig {
    /// Every process that a service's fixtures have named, and its own.
    func pids(_ service: String) -> [Int32] {
        let named = text(service).split(separator: "\n").compactMap { line -> Int32? in
            let words = line.split(separator: " ")
            guard words.count == 2, ["child", "setsid", "daemon", "bare", "pid"].contains(words[0]) else { return nil }
            return Int32(words[1])
        }
        return named + [pid(service)].compactMap { $0 }
    }
}
