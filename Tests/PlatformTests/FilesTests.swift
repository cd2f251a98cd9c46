import Platform
import TestSupport
import Testing

@Suite struct FilesTests {
    let folder = TemporaryFolder()
    var path: String { folder.path + "/state.json" }

    @Test func replaceFile_existing_isReplaced() throws {
        folder.write("state.json", "old and longer")
        try Kernel.real.replaceFile(path, with: Array("new".utf8))
        #expect(folder.read("state.json") == "new")
        #expect(Kernel.real.status(path)?.mode == 0o600)
    }

    /// A disk that is full, or breaks, at any step.
    @Test(arguments: [FaultPlan.Call.open, .write, .sync, .rename])
    func replaceFile_failsAtAnyStep_oldContentStaysAndNothingIsLeftBehind(_ call: FaultPlan.Call) throws {
        folder.write("state.json", "old")
        let plan = FaultPlan()
        plan.inject(call, .fails(.noSpace))
        #expect(throws: Errno.noSpace) {
            try Kernel(faults: plan).replaceFile(path, with: Array("new".utf8))
        }
        #expect(folder.read("state.json") == "old")
        #expect(try Kernel.real.list(folder.path) == ["state.json"])
    }

    @Test func replaceFile_thatNeedNotBeDurable_doesNotWaitForTheDisk() throws {
        let plan = FaultPlan()
        try Kernel(faults: plan).replaceFile(path, with: Array("new".utf8), isDurable: false)
        #expect(plan.count(.sync) == 0)
        #expect(folder.read("state.json") == "new")
    }

    /// A folder may come from a stranger's repository.
    @Test func replaceFile_withALinkInItsWay_doesNotFollowIt() throws {
        folder.write("theirs", "precious")
        try Kernel.real.link(folder.path + "/theirs", at: path + ".new")
        try Kernel.real.replaceFile(path, with: Array("new".utf8))
        #expect(folder.read("theirs") == "precious")
        #expect(folder.read("state.json") == "new")
        #expect(try Kernel.real.list(folder.path) == ["state.json", "theirs"])
    }

    @Test func replaceFile_withAFolderInItsWay_findsAnotherName() throws {
        try Kernel.real.makeDirectory(path + ".new")
        try Kernel.real.replaceFile(path, with: Array("new".utf8))
        #expect(folder.read("state.json") == "new")
    }

    @Test func replaceFile_afterACrashInTheMiddle_usesWhatWasLeft() throws {
        folder.write("state.json.new", "torn and longer")
        try Kernel.real.replaceFile(path, with: Array("new".utf8))
        #expect(folder.read("state.json") == "new")
        #expect(try Kernel.real.list(folder.path) == ["state.json"])
    }

    @Test func makeDirectory_nested_madeWithMode() throws {
        try Kernel.real.makeDirectory(folder.path + "/a/b/c")
        try Kernel.real.makeDirectory(folder.path + "/a/b/c")
        #expect(Kernel.real.status(folder.path + "/a/b/c")?.mode == 0o700)
    }

    @Test func makeDirectory_overFile_throws() throws {
        folder.write("a", "")
        #expect(throws: Errno.self) { try Kernel.real.makeDirectory(folder.path + "/a") }
    }

    @Test func tryLock_heldElsewhere_isRefusedUntilClosed() throws {
        let first = try Kernel.real.open(path, .readWrite)
        let second = try Kernel.real.open(path, .readWrite)
        #expect(try Kernel.real.tryLock(first))
        #expect(try !Kernel.real.tryLock(second))
        first.close()
        // Returns once it is free: a child that another test is starting may hold a copy until it execs.
        try Kernel.real.lock(second)
    }

    @Test func readFile_folder_throws() {
        #expect(throws: Errno.isDirectory) { _ = try Kernel.real.readFile(folder.path) }
    }

    @Test func removeTree_linkInside_targetStays() throws {
        folder.write("keep/file", "x")
        folder.write("tree/deep/file", "x")
        try Kernel.real.link(folder.path + "/keep", at: folder.path + "/tree/link")
        Kernel.real.removeTree(folder.path + "/tree")
        #expect(try Kernel.real.list(folder.path) == ["keep"])
        #expect(folder.read("keep/file") == "x")
    }

    @Test(arguments: [
        ("/a", "b", "/a/b"), ("/a/b", "../c", "/a/c"), ("/a", "/x/./y//z", "/x/y/z"), ("a", "..", "."),
        ("/", "../..", "/"), ("..", "x", "../x"), ("/a/", ".", "/a"), ("/.a/..b", "c.d", "/.a/..b/c.d"),
        ("/a", "..b/...", "/a/..b/..."), ("/a/./b", "..", "/a"), ("/a/b/..", "c", "/a/c"),
    ])
    func join_folderAndPath_isNormal(_ folder: String, _ path: String, _ expected: String) {
        #expect(Path.join(folder, path) == expected)
    }

    @Test(arguments: [("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a")])
    func parentAndName_ofPath(_ path: String, _ parent: String, _ name: String) {
        #expect(Path.parent(path) == parent)
        #expect(Path.name(path) == name)
    }
}
