import EventLoop
import Platform
import TestSupport
import Testing

@Suite struct ChildrenTests {
    @Test func spawn_many_eachExitIsToldOnceWithItsCode_afterItsPid() {
        let seen: [String]? = onLoop { loop, done in
            let children = try! Children(on: loop)
            var seen: [String] = []
            for code in 10..<50 {
                var pid: Int32?
                children.spawn(
                    shell("exit \(code)"),
                    onExit: { status in
                        seen.append("\(status.shellCode) \(pid != nil)")
                        guard seen.count == 40 else { return }
                        children.close()
                        done(seen.sorted())
                    },
                    done: { result in
                        if case .success(let started) = result { pid = started.pid }
                    })
            }
        }
        #expect(seen == (10..<50).map { "\($0) true" })
    }

    @Test func spawn_ofNoProgram_fails() {
        let result: String? = onLoop { loop, done in
            let children = try! Children(on: loop)
            let request = SpawnRequest(path: "/no/such", arguments: ["such"], environment: [:])
            children.spawn(request) { _ in
            } done: { result in
                children.close()
                guard case .failure(let failure) = result else { return done("a process without a program") }
                done("\(failure.stage) \(failure.error == .noEntry)")
            }
        }
        #expect(result == "exec true")
    }

    @Test func spawn_withoutDescriptors_failsAtThem() {
        let faults = FaultPlan()
        let result: String? = onLoop(kernel: Kernel(faults: faults)) { loop, done in
            let children = try! Children(on: loop)
            faults.injectNext(.pipe, .fails(.tooManyOpenFiles))
            children.spawn(shell("exit 0")) { _ in
            } done: { result in
                children.close()
                guard case .failure(let failure) = result else { return done("a program without pipes") }
                done("\(failure.stage)")
            }
        }
        #expect(result == "stdio")
    }

    @Test func program_thatWantsToEndWithItsParentsThread_livesOn() throws {
        try #require(Kernel.real.status("/usr/bin/setpriv") != nil)
        let result: String? = onLoop { loop, done in
            let children = try! Children(on: loop)
            var told = 0
            // Several, so that some are started by threads that go on to start others.
            for _ in 0..<6 {
                let request = SpawnRequest(
                    path: "/usr/bin/setpriv", arguments: ["setpriv", "--pdeathsig", "TERM", "cat"],
                    environment: ["PATH": "/usr/bin:/bin"])
                children.spawn(request) { status in
                    told += 1
                    guard told == 6 else { return }
                    children.close()
                    done("\(status)")
                } done: { result in
                    // Once it echoes, it has asked for the signal; it ends with its input.
                    let ends = try! result.get().pipes!.take()!
                    try! loop.kernel.writeAll(ends.input, "x")
                    try! loop.kernel.setNonblocking(ends.output, false)
                    _ = try! loop.kernel.read(ends.output, into: loop.scratch)
                }
            }
        }
        #expect(result == "exit code 0")
    }

    /// A daemon's double fork: the orphan comes to us, is reaped, and observers are called.
    @Test func orphan_adoptedAndEnded_isReapedAndObserved() {
        #expect(ThisProcess.becomeSubreaper())
        let isReaped: Bool? = onLoop { loop, done in
            let children = try! Children(on: loop)
            var hasLeaderEnded = false
            let marker = "ORPHAN=\(ThisProcess.id)"
            _ = children.addObserver {
                let mine = ProcessTable.children(of: ThisProcess.id)
                let orphans = mine.filter { ProcessTable.environment(of: $0.pid)?.contains(marker[...]) == true }
                // One that has just ended has no environment any more, but is not reaped before its own SIGCHLD.
                let isZombieLeft = mine.contains { $0.isZombie && !ChildTable.contains($0.pid) }
                if hasLeaderEnded, orphans.isEmpty, !isZombieLeft { done(true) }
            }
            var request = shell("setsid sh -c 'sleep 0.2' & exit 0")
            request.environment["ORPHAN"] = "\(ThisProcess.id)"
            children.spawn(request, io: .nothing) { _ in
                hasLeaderEnded = true
            } done: { _ in
            }
            loop.after(.seconds(60)) { children.close() }
        }
        #expect(isReaped == true)
    }
}

private func shell(_ script: String) -> SpawnRequest {
    SpawnRequest(path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"])
}
