import EventLoop
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Watch

private final class Troubles: Sendable {
    let all = Mutex<[String]>([])
}

/// A folder that is watched, and what is told of it.
private final class Watched: Sendable {
    let folder = TemporaryFolder()
    let hub: WatchHub
    let troubles = Troubles()
    private let receiver: LoopThread
    private let told = Mutex<[WatchChange]>([])
    private let arrivals = PlatformSemaphore()
    private static let limit = Duration.seconds(30)

    init(_ backend: WatchHub.Backend, kernel: Kernel = .real) throws {
        receiver = try LoopThread("receiver")
        hub = try WatchHub(kernel: kernel, backend: backend) { [troubles] sentence in
            troubles.all.withLock { $0.append(sentence) }
        }
    }

    deinit {
        hub.close()
        receiver.stop()
    }

    /// Watches, and waits until it does.
    func watch(
        _ paths: [String] = ["."], ignore: [String] = [], debounce: Duration = .milliseconds(20),
        leavesOutPrograms: Bool = false, since: WallTime? = nil
    ) throws {
        let request = WatchRequest(
            folder: folder.path, paths: paths, ignore: ignore, debounce: debounce, leavesOutPrograms: leavesOutPrograms)
        // What was made a moment ago is no news: the clock of files is a tick behind.
        let since = since ?? WallTime(microseconds: WallTime.now.microseconds + 10_000)
        hub.watch("it", request, since: since, on: receiver.remote) { [weak self] _, change in
            self?.told.withLock { $0.append(change) }
            self?.arrivals.signal()
        }
        try settle()
    }

    func settle() throws {
        let isThere = Handoff<Bool>()
        hub.settled(on: receiver.remote) { _ in isThere.give(true) }
        #expect(isThere.take(within: Self.limit) == true)
    }

    /// The next change that is told.
    func next() throws -> WatchChange {
        try #require(arrivals.wait(within: Self.limit), "nothing was told")
        return told.withLock { $0.removeFirst() }
    }

    /// Everything told until a change of that path, which comes last.
    func paths(until last: String) throws -> Set<String> {
        var all: Set<String> = []
        while !all.contains(last) { all.formUnion(try next().paths) }
        return all
    }

    /// Changes files one after another, then the file `end`, and returns what was told.
    func told(_ files: [String]) throws -> Set<String> {
        for file in files { folder.write(file, "x\(UInt64.random(in: 0 ... .max))") }
        folder.write("end", "\(UInt64.random(in: 0 ... .max))")
        return try paths(until: "end").subtracting(["end"])
    }
}

enum Way: CaseIterable {
    case native, scanning

    var backend: WatchHub.Backend {
        switch self {
        case .native: .native
        case .scanning: .scanning(.milliseconds(5))
        }
    }
}

@Suite struct WatchHubTests {
    @Test(arguments: Way.allCases) func file_comesChangesAndGoes_isTold(way: Way) throws {
        let watched = try Watched(way.backend)
        watched.folder.write("src/old.c", "x")
        try watched.watch()
        #expect(try watched.told(["src/old.c", "new.c"]) == ["src/old.c", "new.c"])
        try Kernel.real.remove(watched.folder.path + "/src/old.c")
        #expect(try watched.next().paths == ["src/old.c"])
        try Kernel.real.rename(watched.folder.path + "/new.c", to: watched.folder.path + "/src/newer.c")
        #expect(try watched.paths(until: "src/newer.c").contains("new.c"))
    }

    @Test(arguments: Way.allCases) func folders_madeMovedAndMadeAgain_areAdopted(way: Way) throws {
        let watched = try Watched(way.backend)
        try watched.watch()
        // Files may be there before the watch is: they count.
        watched.folder.write("a/b/c/deep.c", "x")
        #expect(try watched.next().paths == ["a/b/c/deep.c"])
        #expect(try watched.told(["a/b/c/deep.c", "a/top.c"]) == ["a/b/c/deep.c", "a/top.c"])
        try Kernel.real.rename(watched.folder.path + "/a", to: watched.folder.path + "/z")
        #expect(try watched.paths(until: "z/b/c/deep.c").contains("z/top.c"))
        #expect(try watched.told(["z/b/c/deep.c"]) == ["z/b/c/deep.c"])
        Kernel.real.removeTree(watched.folder.path + "/z")
        #expect(try watched.told([]).contains { $0.hasPrefix("z") })
        watched.folder.write("z/b/new.c", "x")
        #expect(try watched.told(["z/b/new.c"]) == ["z/b/new.c"])
    }

    @Test(arguments: Way.allCases) func whatIsLeftOut_isNotTold(way: Way) throws {
        let watched = try Watched(way.backend)
        let folder = watched.folder
        folder.write(".git/HEAD", "x")
        folder.write(".gitignore", "*.gen.c\n/made/\n!keep.gen.c\n")
        folder.write("sub/.gitignore", "local.c\n!other.gen.c\n")
        folder.write("build/x", "x")
        try watched.watch(ignore: ["*.txt", "!build/", "/docs"])
        let out = [
            ".git/index", "x.gen.c", "made/x.c", "sub/local.c", "main.o", "main.c~", ".main.c.swp", "4913",
            "node_modules/x/index.js", "notes.txt", "docs/x.md", "sub/__pycache__/x.pyc", "app.log",
        ]
        let counts: Set = ["keep.gen.c", "sub/other.gen.c", "local.c", "build/y", "main.c", "sub/docs/x.md"]
        let told = try watched.told(out + counts.sorted())
        #expect(told == counts, "\(told.symmetricDifference(counts))")
    }

    @Test(arguments: Way.allCases) func gitignore_changed_isHeeded(way: Way) throws {
        let watched = try Watched(way.backend)
        let folder = watched.folder
        folder.write(".git/HEAD", "x")
        folder.write("sub/.gitignore", "made.c\n")
        try watched.watch()
        #expect(try watched.told(["sub/made.c", "sub/other.c"]) == ["sub/other.c"])
        folder.write("sub/.gitignore", "other.c\n")
        // The marker comes after it on the same way.
        _ = try watched.told(["sub/marker"])
        #expect(try watched.told(["sub/made.c", "sub/other.c"]) == ["sub/made.c"])
    }

    @Test(arguments: Way.allCases) func paths_areFoldersFilesAndPatterns(way: Way) throws {
        let watched = try Watched(way.backend)
        watched.folder.write("src/a/x.c", "x")
        watched.folder.write("one.json", "x")
        watched.folder.write("lib/x.c", "x")
        try watched.watch(["end", "one.json", "src/**/*.c", "later/deep", "lib/"])
        let files = [
            "src/a/x.c", "src/a/x.h", "src/y.c", "one.json", "two.json", "lib/x.c", "lib/deep/x.py", "later/other",
            "later/deep/x", "src/new/z.c",
        ]
        #expect(
            try watched.told(files) == [
                "src/a/x.c", "src/y.c", "one.json", "lib/x.c", "lib/deep/x.py", "later/deep/x", "src/new/z.c",
            ])
        // As editors write: beside, and then in its place.
        try Kernel.real.replaceFile(watched.folder.path + "/one.json", with: Array("new".utf8))
        #expect(try watched.next().paths == ["one.json"])
        #expect(try watched.told(["later/deep/x"]) == ["later/deep/x"])
    }

    @Test(arguments: Way.allCases) func root_thatGoesAndComesBack_isWatchedAgain(way: Way) throws {
        let watched = try Watched(way.backend)
        watched.folder.write("src/a.c", "x")
        try watched.watch(["src", "end"])
        Kernel.real.removeTree(watched.folder.path + "/src")
        _ = try watched.told([])
        watched.folder.write("src/b.c", "x")
        #expect(try watched.told(["src/b.c"]).contains("src/b.c"))
    }

    @Test func changesInARow_areOne() throws {
        let watched = try Watched(.native)
        try watched.watch(debounce: .milliseconds(300))
        for index in 0..<100 { watched.folder.write("file\(index)", "x") }
        let change = try watched.next()
        #expect(change.paths.count == PendingChange.mostPaths && change.others == 68)
        #expect(change.paths[0] == "file0")
        #expect(change.summary == "file0 and 99 others")
        #expect(Instant.now - change.last >= .milliseconds(300))
    }

    @Test func changesWithoutAPause_areToldNevertheless() {
        var pending = PendingChange("a", at: Instant(nanoseconds: 0))
        for millisecond in 1...10_000 { pending.add("a", at: Instant(nanoseconds: Int64(millisecond) * 1_000_000)) }
        #expect(pending.due(.milliseconds(200)) == Instant(nanoseconds: 4_000_000_000))
    }

    @Test func programs_thatABuildMakes_areLeftOut() throws {
        let watched = try Watched(.native)
        try watched.watch(debounce: .milliseconds(1), leavesOutPrograms: true)
        let program = try Kernel.real.readFile("/proc/self/exe").prefix(4096)
        try Kernel.real.replaceFile(watched.folder.path + "/reader", with: Array(program))
        #expect(try watched.told(["main.c"]) == ["main.c"])
    }

    @Test func fileThatIsBeingWritten_countsOnceItIsWhole() throws {
        let watched = try Watched(.native)
        try watched.watch(debounce: .milliseconds(1))
        let kernel = Kernel.real
        let file = try kernel.open(watched.folder.path + "/large", .createNew)
        try kernel.writeAll(file, "a part")
        #expect(try watched.told(["other"]) == ["other"])
        file.close()
        #expect(try watched.next().paths == ["large"])
        try kernel.link("/etc/hosts", at: watched.folder.path + "/link")
        #expect(try watched.next().paths == ["link"])
    }

    @Test(arguments: Way.allCases) func changesBeforeItIsWatched_countSince(way: Way) throws {
        let watched = try Watched(way.backend)
        watched.folder.write("old.c", "x")
        let path = watched.folder.path + "/old.c"
        let since = WallTime(microseconds: Kernel.real.status(path)!.changed / 1000 + 20_000)
        // The clock of files stands still for some milliseconds at a time.
        while Kernel.real.status(watched.folder.write("new.c", "x"))!.changed / 1000 <= since.microseconds {}
        try watched.watch(since: since)
        #expect(try watched.next().paths == ["new.c"])
    }

    @Test(arguments: Way.allCases) func whatComesAndGoes_isNoChange(way: Way) throws {
        let watched = try Watched(way.backend)
        try watched.watch(debounce: .milliseconds(50))
        watched.folder.write("sedAbc", "x")
        try Kernel.real.remove(watched.folder.path + "/sedAbc")
        #expect(try watched.told(["main.c"]) == ["main.c"])
    }

    /// More events than the kernel keeps, while nobody reads them.
    @Test func lostEvents_areFoundByLookingAgain() throws {
        let queued = try Kernel.real.readFile("/proc/sys/fs/inotify/max_queued_events")
        let most = try #require(Int(String(decoding: queued, as: UTF8.self).filter(\.isNumber)))
        let watched = try Watched(.native)
        watched.folder.write("quiet/old.c", "x")
        try watched.watch()
        let (began, goOn) = (Handoff<Bool>(), Handoff<Bool>())
        watched.hub.post { _ in
            began.give(true)
            _ = goOn.take()
        }
        _ = began.take()
        // Two events each.
        for index in 0..<(most / 2 + 10) { watched.folder.write("storm/\(index)", "") }
        watched.folder.write("late/sub/x.c", "x")
        goOn.give(true)
        let change = try watched.next()
        #expect(change.others > 0)
        try watched.settle()
        // What was made while events were lost is watched by now, and what was quiet still is.
        var told: Set<String> = []
        while !told.isSuperset(of: ["late/sub/y.c", "quiet/old.c"]) {
            watched.folder.write("late/sub/y.c", "x")
            watched.folder.write("quiet/old.c", "y")
            told.formUnion(try watched.next().paths)
        }
    }

    @Test(arguments: [0, 3]) func noMoreWatches_scansInsteadAndSaysSo(nth: Int) throws {
        let faults = FaultPlan()
        // The first is that of inotify itself.
        faults.inject(.watch, nth: nth + 1, times: 1000, .fails(nth == 0 ? .tooManyOpenFiles : .noSpace))
        let watched = try Watched(.native, kernel: Kernel(faults: faults))
        for name in ["a", "b", "c", "d"] { watched.folder.write("\(name)/old.c", "x") }
        try watched.watch(since: .now)
        #expect(try watched.told(["a/old.c", "d/new.c"]).isSuperset(of: ["a/old.c", "d/new.c"]))
        #expect(try watched.told(["a/old.c"]).contains("a/old.c"))
        let troubles = watched.troubles.all.withLock { $0 }
        #expect(troubles.count == 1)
        let command = nth == 0 ? "max_user_instances=1024" : "`sudo sysctl fs.inotify.max_user_watches=1048576`"
        #expect(troubles.first?.contains(command) == true, "\(troubles)")
    }
}
