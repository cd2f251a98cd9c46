@testable import Platform
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct SpawnTests {
    let folder = TemporaryFolder()

    @Test func spawn_cleanStart_noInheritedMaskHandlersOrDescriptors() throws {
        Signal.pipe.ignore()
        let leak = try Kernel.real.open(folder.path + "/leak", .append)
        let status = try output("/bin/sh", ["sh", "-c", "cat /proc/self/status; ls /proc/self/fd"])
        let lines = status.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("SigBlk:\t0000000000000000") })
        // 32 and 33 are the C library's own, which nobody can set (nptl(7)).
        let ignored = lines.first { $0.hasPrefix("SigIgn:\t") }.flatMap { UInt64($0.dropFirst(8), radix: 16) }
        #expect(ignored.map { $0 & ~0x1_8000_0000 } == 0)
        // 0, 1, 2 and the one that `ls` reads the folder with.
        #expect(lines.suffix(4) == ["0", "1", "2", "3"])
        _ = leak.raw
    }

    @Test func spawn_processors_programKeepsToThem() throws {
        let last = try #require(ThisProcess.usableProcessors.last)
        let text = try output("/bin/grep", ["grep", "Cpus_allowed_list", "/proc/self/status"], processors: [last])
        #expect(text == "Cpus_allowed_list:\t\(last)\n")
    }

    @Test func spawn_tag_isHandedDownWhateverTheProgramDoes() throws {
        let tag: UInt64 = 1 << 61 | 5
        let script = "env -i setsid -w sh -c 'cat /proc/self/limits'"
        let limits = try output("/bin/sh", ["sh", "-c", script], tag: tag).split(separator: "\n")
        #expect(limits.contains { $0.hasPrefix("Max file locks ") && $0.contains(" \(tag) ") })
    }

    @Test func tag_ofAProcess_isTheOneThatItWasStartedWith() throws {
        let pipe = try Kernel.real.pipe()
        for tag: UInt64? in [1 << 61 | 7, nil] {
            var request = SpawnRequest(path: "/bin/cat", arguments: ["cat"], environment: [:])
            request.tag = tag
            let pid = try ChildTable.spawn(request, stdin: pipe.reader.raw)
            #expect(ProcessTable.tag(of: pid) == tag)
            ChildTable.signal(pid, .kill, group: false)
            _ = ChildTable.wait(pid)
            #expect(ProcessTable.tag(of: pid) == nil)
        }
        pipe.writer.close()
    }

    /// As the kernel does where SIGCHLD is ignored.
    @Test func reap_ofAChildThatOthersHaveReaped_isNoSuccess() throws {
        for reap in [{ ChildTable.reap($0) }, { ChildTable.wait($0) }] as [(Int32) -> Platform.ExitStatus?] {
            let pid = try ChildTable.spawn(SpawnRequest(path: "/bin/true", arguments: ["true"], environment: [:]))
            #expect(waitpid(pid, nil, 0) == pid)
            #expect(reap(pid) == .signalled(.kill))
            #expect(!ChildTable.contains(pid))
        }
    }

    @Test func spawn_processorThatIsNotThere_isAFailureOfItsOwn() {
        var request = SpawnRequest(path: "/bin/true", arguments: ["true"], environment: [:])
        request.processors = [1023]
        #expect(throws: SpawnFailure(stage: .processors, error: .invalid)) { try ChildTable.spawn(request) }
    }

    @Test func spawn_newSession_leadsSessionAndGroup() throws {
        let text = try output("/bin/sh", ["sh", "-c", "echo $$; cat /proc/$$/stat"])
        let lines = text.split(separator: "\n")
        try #require(lines.count == 2)
        let fields = lines[1].split(separator: " ")
        #expect(fields[4] == lines[0])
        #expect(fields[5] == lines[0])
    }

    @Test func spawn_directoryAndEnvironment_areAsAsked() throws {
        let text = try output("/bin/sh", ["sh", "-c", "pwd; env"], environment: ["A": "1 2\n3"])
        #expect(text.hasPrefix(folder.path + "\n"))
        #expect(text.contains("A=1 2\n3"))
    }

    @Test func spawn_noFolder_failsAtDirectory() {
        let request = SpawnRequest(path: "/bin/true", arguments: ["true"], environment: [:], directory: "/nonexistent")
        #expect(throws: SpawnFailure(stage: .directory, error: .noEntry)) { _ = try ChildTable.spawn(request) }
    }

    @Test func spawn_noProgram_failsAtExec() {
        let request = SpawnRequest(path: "/nonexistent", arguments: ["x"], environment: [:])
        #expect(throws: SpawnFailure(stage: .exec, error: .noEntry)) { _ = try ChildTable.spawn(request) }
    }

    @Test func spawn_outOfProcesses_failsAtFork() {
        let plan = FaultPlan()
        plan.inject(.spawn, .fails(.again))
        let request = SpawnRequest(path: "/bin/true", arguments: ["true"], environment: [:])
        #expect(throws: SpawnFailure(stage: .fork, error: .again)) {
            _ = try ChildTable.spawn(request, kernel: Kernel(faults: plan))
        }
    }

    @Test func spawn_scriptWithoutInterpreterLine_isRunByShell() throws {
        // Written while nothing forks: whoever had a copy of its descriptor would keep it busy (ETXTBSY).
        let path = ChildTable.whileNothingForks { folder.write("script", "echo from $1", permissions: 0o700) }
        #expect(try output(path, [path, "here"]) == "from here\n")
    }

    @Test func spawn_openFilesLimit_isTheChilds() throws {
        let text = try output("/bin/sh", ["sh", "-c", "ulimit -Sn"], openFiles: 200)
        #expect(text == "200\n")
    }

    @Test(arguments: [("exit 3", Platform.ExitStatus.exited(3), Int32(3)), ("kill -9 $$", .signalled(.kill), 137)])
    func wait_tellsHowItEnded(_ script: String, _ expected: Platform.ExitStatus, _ code: Int32) throws {
        let request = SpawnRequest(path: "/bin/sh", arguments: ["sh", "-c", script], environment: [:])
        let status = ChildTable.wait(try ChildTable.spawn(request))
        #expect(status == expected)
        #expect(status.shellCode == code)
    }

    /// As the kernel does where SIGCHLD is ignored.
    @Test func wait_reapedBySomebodyElse_isNoSuccess() throws {
        let pid = try ChildTable.spawn(SpawnRequest(path: "/bin/true", arguments: ["true"], environment: [:]))
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
        #expect(!ChildTable.wait(pid).isSuccess)
        #expect(!ChildTable.contains(pid))
    }

    @Test func wait_within_killsWhatTakesLonger() throws {
        let pipe = try Kernel.real.pipe()
        func shell(_ script: String) -> SpawnRequest {
            SpawnRequest(path: "/bin/sh", arguments: ["sh", "-c", script], environment: [:])
        }
        let quick = try ChildTable.spawn(shell("exit 3"))
        #expect(ChildTable.wait(quick, within: patience(.seconds(30))) == .exited(3))
        let pid = try ChildTable.spawn(shell("sleep 60 & wait"), stdout: pipe.writer.raw)
        #expect(ChildTable.wait(pid, within: .milliseconds(20)) == nil)
        #expect(!ChildTable.contains(pid))
        // Its group has gone with it: nobody holds the pipe any more.
        pipe.writer.close()
        let reader = pipe.reader
        var byte: [UInt8] = [0]
        let end = try byte.withUnsafeMutableBytes { try Kernel.real.read(reader, into: $0) }
        #expect(end == .endOfFile)
        let late = try ChildTable.spawn(shell("sleep 60"))
        #expect(ChildTable.wait(late, within: .seconds(-1)) == nil, "no time was left for it")
    }

    @Test func find_program() throws {
        let tool = folder.write("bin/tool", "", permissions: 0o700)
        let data = folder.write("bin/data", "")
        let path = "/nonexistent:" + folder.path + "/bin"
        #expect(try Executable.find("tool", path: path, directory: "/") == tool)
        #expect(try Executable.find("./bin/tool", path: nil, directory: folder.path) == tool)
        #expect(throws: Executable.Failure.notExecutable(data)) {
            _ = try Executable.find("data", path: path, directory: "/")
        }
        #expect(throws: Executable.Failure.notFound) { _ = try Executable.find("other", path: path, directory: "/") }
        #expect(throws: Executable.Failure.notExecutable(folder.path + "/bin")) {
            _ = try Executable.find("./bin", path: nil, directory: folder.path)
        }
    }

    private func output(
        _ path: String, _ arguments: [String], environment: [String: String] = ["PATH": "/usr/bin:/bin"],
        openFiles: UInt64? = nil, processors: [Int32] = [], tag: UInt64? = nil
    ) throws -> String {
        let pipe = try Kernel.real.pipe()
        var request = SpawnRequest(
            path: path, arguments: arguments, environment: environment, directory: folder.path, openFiles: openFiles)
        request.processors = processors
        request.tag = tag
        let pid = try ChildTable.spawn(request, stdout: pipe.writer.raw)
        let reader = pipe.reader
        pipe.writer.close()
        var text = ""
        try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            while case .bytes(let count) = try Kernel.real.read(reader, into: buffer) {
                text += String(decoding: buffer[..<count], as: UTF8.self)
            }
        }
        #expect(ChildTable.wait(pid) == .exited(0))
        return text
    }
}
