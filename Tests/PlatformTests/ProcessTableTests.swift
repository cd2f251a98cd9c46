@testable import Platform
import Testing

@Suite struct ProcessTableTests {
    @Test func descendants_anyOrder_allGenerations() {
        func entry(_ pid: Int32, _ parent: Int32) -> ProcessEntry {
            ProcessEntry(pid: pid, parent: parent, group: 0, session: 0, isZombie: false, started: 0, resident: 0)
        }
        let table = ProcessTable([entry(9, 5), entry(5, 2), entry(2, 1), entry(3, 1), entry(4, 2), entry(7, 3)])
        #expect(table.descendants(of: 2).map(\.pid).sorted() == [4, 5, 9])
        #expect(table.descendants(of: 8).isEmpty)
    }

    @Test func entry_oneself_isThere() throws {
        let entry = try #require(ProcessTable.snapshot()[ThisProcess.id])
        #expect(entry.resident > 1 << 20)
        #expect(!entry.isZombie)
        #expect(ProcessTable.cpuTime(of: ThisProcess.id)! > 0)
    }

    @Test(
        arguments: [
            (
                "00400000-7fff0000 ---p 00000000 00:00 0 [rollup]\nRss:    8 kB\nPss:                1234 kB\nPss_Dirty: 9 kB\n",
                1234 << 10
            ),
            ("Rss: 8 kB\n", nil), ("Pss: kB\n", nil), ("", nil),
        ] as [(String, Int?)])
    func proportionalMemory_isThePssOfTheRollup(text: String, bytes: Int?) {
        #expect(Array(text.utf8).withUnsafeBytes { ProcessTable.proportionalMemory(in: $0) } == bytes)
    }

    @Test func proportionalMemory_ofOneself_isNoMoreThanWhatIsResident() throws {
        let resident = try #require(ProcessTable.entry(ThisProcess.id)).resident
        let own = try #require(ProcessTable.proportionalMemory(of: ThisProcess.id))
        #expect(own > 1 << 20 && own < resident * 2)
    }

    @Test func environment_ofChild_isWhatItWasGiven() throws {
        let request = SpawnRequest(
            path: "/bin/sh", arguments: ["a (tricky) name", "-c", "echo ready; kill -STOP $$"],
            environment: ["MARK": "reader.1", "B": ""])
        let pipe = try Kernel.real.pipe()
        let pid = try ChildTable.spawn(request, stdout: pipe.writer.raw)
        defer {
            ChildTable.signal(pid, .kill, group: false)
            _ = ChildTable.wait(pid)
        }
        #expect(waitReadable(pipe.reader.raw, timeout: .seconds(30)))
        #expect(Set(ProcessTable.environment(of: pid) ?? []) == ["MARK=reader.1", "B="])
        #expect(ProcessTable.program(of: pid) == "sh")
        #expect(ProcessTable.entry(pid)?.parent == ThisProcess.id)
        #expect(ProcessTable.groupExists(pid))
    }

    @Test func signal_laterProcessWithSamePid_isSpared() throws {
        let request = SpawnRequest(path: "/bin/sleep", arguments: ["sleep", "100"], environment: [:])
        let pid = try ChildTable.spawn(request)
        var other = try #require(ProcessTable.entry(pid))
        other.started -= 1
        ProcessTable.signal(other, .kill)
        #expect(ChildTable.reap(pid) == nil)
        ProcessTable.signal(try #require(ProcessTable.entry(pid)), .terminate)
        #expect(ChildTable.wait(pid) == .signalled(.terminate))
    }
}
