import EventLoop
import Platform
import TestSupport
import Testing

@Suite struct ChildrenTests {
    @Test func spawn_many_eachExitIsToldOnceWithItsCode() {
        let codes: [Int32]? = onLoop { loop, done in
            let children = try! Children(on: loop)
            var seen: [Int32] = []
            for code in 0..<40 {
                _ = try! children.spawn(shell("exit \(code)")) { status in
                    seen.append(status.shellCode)
                    if seen.count == 40 { done(seen.sorted()) }
                }
            }
            loop.after(.seconds(60)) { children.close() }
        }
        #expect(codes == Array(0..<40))
    }

    @Test func spawnOnOtherThreads_many_eachPidAndThenItsExit() {
        let seen: [String]? = onLoop { loop, done in
            let children = try! Children(on: loop)
            var seen: [String] = []
            for code in 10..<50 {
                var pid: Int32?
                children.spawn(shell("exit \(code)"), nothing()) { status in
                    seen.append("\(status.shellCode) \(pid != nil)")
                    guard seen.count == 40 else { return }
                    children.close()
                    done(seen.sorted())
                } done: {
                    pid = try? $0.get()
                }
            }
        }
        #expect(seen == (10..<50).map { "\($0) true" })
    }

    @Test func spawnOnOtherThreads_ofNoProgram_failsAndClosesWhatItWasGiven() {
        let result: String? = onLoop { loop, done in
            let children = try! Children(on: loop)
            let pipe = try! loop.kernel.pipe()
            let descriptors = StandardDescriptors(
                input: try! loop.kernel.open("/dev/null", .read), output: pipe.writer,
                errors: try! loop.kernel.open("/dev/null", .readWrite))
            let reader = pipe.reader.release()
            let request = SpawnRequest(path: "/no/such", arguments: ["such"], environment: [:])
            children.spawn(request, descriptors) { _ in
            } done: { result in
                children.close()
                // The worker lets go of them once it has answered: waits for the pipe's end.
                let reader = Descriptor(owning: reader)
                try! loop.kernel.setNonblocking(reader, false)
                let rest = try! loop.kernel.read(reader, into: loop.scratch)
                guard case .failure(let failure) = result else { return done("a process without a program") }
                done("\(failure.stage) \(failure.error == .noEntry) \(rest)")
            }
        }
        #expect(result == "exec true endOfFile")
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
            _ = try! children.spawn(request) { _ in hasLeaderEnded = true }
            loop.after(.seconds(60)) { children.close() }
        }
        #expect(isReaped == true)
    }
}

private func nothing() -> StandardDescriptors {
    StandardDescriptors(
        input: try! Kernel.real.open("/dev/null", .read), output: try! Kernel.real.open("/dev/null", .readWrite),
        errors: try! Kernel.real.open("/dev/null", .readWrite))
}

private func shell(_ script: String) -> SpawnRequest {
    SpawnRequest(path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"])
}
