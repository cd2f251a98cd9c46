import Synchronization
import TestSupport
import Testing

@testable import Platform

struct ControlGroupFinderTests {
    /// What the kernel says in different surroundings, and the folders that it means.
    @Test(arguments: Fixtures.names(in: "cgroups", suffix: ".expected").map { String($0.dropLast(9)) })
    func folders_asTheKernelTells(name: String) {
        let group = ControlGroupFinder.path(in: Fixtures.bytes("cgroups/\(name).cgroup"))
        let mounts = Fixtures.bytes("cgroups/\(name).mountinfo")
        let folders = group.map { ControlGroupFinder.folders(of: $0, in: mounts) } ?? []
        #expect(folders.map { $0 + "\n" }.joined() == Fixtures.text("cgroups/\(name).expected"))
    }

    @Test(arguments: [("populated 1\nfrozen 0\n", true), ("frozen 0\npopulated 0\n", false), ("", nil)])
    func events_tellWhetherSomebodyIsInIt(text: String, isPopulated: Bool?) {
        #expect(ControlGroupFinder.isPopulated(Array(text.utf8)) == isPopulated)
    }

    // MARK: With a folder in place of the tree

    private let folder = TemporaryFolder()
    private let faults = FaultPlan()
    /// The group of this process is `/user/terminal` there.
    private var finder: ControlGroupFinder {
        folder.write("proc/cgroup", "0::/user/terminal\n")
        folder.write("proc/mountinfo", "35 24 0:30 / \(folder.path)/tree rw - cgroup2 cgroup2 rw\n")
        folder.write("tree/user/terminal/cgroup.procs", "")
        return ControlGroupFinder(
            kernel: Kernel(faults: faults), process: folder.path + "/proc",
            places: [folder.path + "/nowhere", folder.path + "/proc", folder.path + "/tree"],
            isGroup: { [path = folder.path] in $0.hasPrefix(path + "/tree") })
    }

    @Test func delegated_isThisProcessesOwn() {
        #expect(finder.delegated() == folder.path + "/tree/user/terminal")
    }

    @Test func delegated_whereItIsNotAtTheUsualPlace_isFoundByTheMounts() {
        var finder = finder
        finder.places = ["/nowhere"]
        #expect(finder.delegated() == folder.path + "/tree/user/terminal")
    }

    /// Then nobody looks any further.
    @Test(arguments: [Errno.accessDenied, .readOnlyFileSystem])
    func delegated_toWhomMayNotWriteThere_isNone(error: Errno) {
        let finder = finder
        faults.inject(.access, .fails(error))
        #expect(finder.delegated() == nil)
        #expect(faults.count(.open) == 1)
    }

    /// Its folder was given away, but nobody may be moved out of it.
    @Test func delegated_inPart_isNone() {
        let finder = finder
        faults.inject(.access, nth: 3, .fails(.accessDenied))
        #expect(finder.delegated() == nil)
        faults.clear()
        #expect(finder.delegated() != nil)
    }

    @Test func delegated_withoutVersion2_isNone() {
        let finder = finder
        folder.write("proc/cgroup", "1:name=systemd:/user\n")
        #expect(finder.delegated() == nil)
        #expect(faults.count(.open) == 1 && faults.count(.access) == 0)
    }

    /// Programs look for their limits in their own group alone.
    @Test(arguments: [
        ("memory.max", "4294967296\n", false), ("cpu.max", "50000 100000\n", false),
        ("memory.max", "max\n", true), ("cpu.max", "max 100000\n", true),
    ])
    func delegated_withLimits_isNone(name: String, text: String, isThere: Bool) {
        let finder = finder
        folder.write("tree/user/terminal/" + name, text)
        #expect((finder.delegated() != nil) == isThere)
    }
}

struct ControlGroupTests {
    private let folder = TemporaryFolder()
    private let faults = FaultPlan()
    private var group: ControlGroup { ControlGroup(folder.path + "/group", kernel: Kernel(faults: faults)) }

    private func sleeper() throws -> Int32 {
        try ChildTable.spawn(SpawnRequest(path: "/bin/sleep", arguments: ["sleep", "9999"], environment: [:]))
    }

    /// Linux before 5.14 has no `cgroup.kill`.
    @Test func killAll_withoutTheFileForIt_killsOneByOne_alsoInGroupsWithin() throws {
        let (one, two, other) = (try sleeper(), try sleeper(), try sleeper())
        folder.write("group/cgroup.procs", "0\n\(one)\n")
        folder.write("group/within/cgroup.procs", "\(two)\n")
        #expect(group.members() == [one, two])
        group.killAll()
        #expect(ChildTable.wait(one) == .signalled(.kill) && ChildTable.wait(two) == .signalled(.kill))
        #expect(ProcessTable.entry(other)?.isZombie == false)
        ChildTable.signal(other, .kill, group: false)
        _ = ChildTable.wait(other)
    }

    @Test(arguments: [Errno.accessDenied, .readOnlyFileSystem, .noEntry])
    func killAll_whereTheFileRefuses_killsOneByOne(error: Errno) throws {
        let one = try sleeper()
        folder.write("group/cgroup.procs", "\(one)\n")
        folder.write("group/cgroup.kill", "")
        faults.inject(.open, .fails(error))
        group.killAll()
        #expect(ChildTable.wait(one) == .signalled(.kill))
        #expect(folder.read("group/cgroup.kill") == "")
    }

    @Test func killAll_withTheFileForIt_writesThere() {
        folder.write("group/cgroup.procs", "\(ThisProcess.id)\n")
        folder.write("group/cgroup.kill", "")
        group.killAll()
        #expect(folder.read("group/cgroup.kill") == "1")
    }

    @Test func end_ofABusyGroup_triesUntilItIsGone() throws {
        try Kernel.real.makeDirectory(group.folder)
        faults.inject(.rmdir, times: 3, .fails(.busy))
        #expect(group.end(by: .now + .seconds(30)))
        #expect(!group.exists && faults.count(.rmdir) == 4)
    }

    @Test func end_ofOneThatStaysBusy_givesUp() throws {
        try Kernel.real.makeDirectory(group.folder)
        faults.inject(.rmdir, times: .max >> 1, .fails(.busy))
        #expect(!group.end(by: .now + .milliseconds(20)))
    }

    @Test(arguments: [Errno.accessDenied, .readOnlyFileSystem])
    func end_whereNobodyMayRemoveIt_waitsForNothing(error: Errno) throws {
        try Kernel.real.makeDirectory(group.folder)
        faults.inject(.rmdir, .fails(error))
        #expect(!group.end(by: .now + .seconds(3600)))
    }

    @Test func end_ofOneThatIsGone_isDone() {
        #expect(group.end(by: .now))
        #expect(group.members() == [])
    }

    @Test(arguments: [Errno.accessDenied, .readOnlyFileSystem, .again])
    func make_whereTheKernelRefuses_isNone(error: Errno) {
        faults.inject(.mkdir, .fails(error))
        #expect(ControlGroup.make("devmesh-test-refused", kernel: Kernel(faults: faults)) == nil)
    }

    // MARK: With the kernel's own

    private func prefix(_ name: String) -> String { "devmesh-test-\(name)-\(ThisProcess.id)-" }

    /// A group with a program in it that was moved there.
    private func real(_ name: String) throws -> (group: ControlGroup, pid: Int32) {
        let group = try #require(ControlGroup.make(prefix(name)))
        let pid = try sleeper()
        let file = try Kernel.real.open(group.folder + "/cgroup.procs", .write)
        try Kernel.real.writeAll(file, "\(pid)")
        return (group, pid)
    }

    @Test(.enabled(if: ControlGroup.delegated() != nil)) func group_isRemovedOnceNobodyIsInIt() throws {
        let (group, pid) = try real("end")
        #expect(group.members() == [pid])
        try Kernel.real.makeDirectory(group.folder + "/made/within", permissions: 0o755)
        group.remove()
        #expect(group.exists && ProcessTable.entry(pid)?.isZombie == false)
        #expect(group.end(by: .now + .seconds(30)))
        #expect(!group.exists)
        #expect(ChildTable.wait(pid) == .signalled(.kill))
    }

    /// One that was killed as a whole has its group still; of one that was killed before it had begun, an empty one is
    /// there. A mesh that is ending while the next one begins must not mean that one's.
    @Test(.enabled(if: ControlGroup.delegated() != nil)) func make_neverTakesANameTwice_andEmptyOnesAreRemoved() throws
    {
        let (group, pid) = try real("make")
        let prefix = prefix("make")
        let others = try (1...3).map { _ in try #require(ControlGroup.make(prefix)) }
        #expect(Set((others + [group]).map(\.folder)).count == 4)
        others[0].removeOthers()
        #expect(group.exists && !others.contains(where: \.exists))
        #expect(group.end(by: .now + .seconds(30)))
        _ = ChildTable.wait(pid)
    }
}
