import EventLoop
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Watch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

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

    @Test(arguments: Way.allCases) func folderThatIsMovedAway_takesItsFilesAlong(way: Way) throws {
        let watched = try Watched(way.backend)
        watched.folder.write("src/a/b/x.c", "x")
        try watched.watch(["src/**/*.c", "end"])
        try Kernel.real.rename(watched.folder.path + "/src/a", to: watched.folder.path + "/a")
        #expect(try watched.told([]) == ["src/a/b/x.c"])
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
        #expect(change.paths.count == WatchChange.mostPaths && change.others == 68)
        #expect(change.paths[0] == "file0")
        #expect(change.summary == "file0 and 99 others")
        #expect(Instant.now - change.last >= .milliseconds(300))
    }

    @Test func changesWithoutAPause_areToldNevertheless() {
        var pending = PendingChange("a", at: Instant(nanoseconds: 0))
        for millisecond in 1...10_000 { pending.add("a", at: Instant(nanoseconds: Int64(millisecond) * 1_000_000)) }
        #expect(pending.due(.milliseconds(200)) == Instant(nanoseconds: 4_000_000_000))
    }

    @Test func filesThatGitWrites_areOneChangeOnceItHasEnded() throws {
        let watched = try Watched(.native)
        watched.folder.write("repo/.git/index.lock", "")
        try watched.watch(["repo"], debounce: .milliseconds(1))
        for name in ["a.c", "b.c"] {
            watched.folder.write("repo/" + name, "x")
            // By the time that this is told the other would have been.
            try watched.untilAnotherIsTold()
        }
        try Kernel.real.remove(watched.folder.path + "/repo/.git/index.lock")
        #expect(try watched.next().paths == ["repo/a.c", "repo/b.c"])
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
        try watched.watch(debounce: .milliseconds(300))
        watched.folder.write("sedAbc", "x")
        try Kernel.real.remove(watched.folder.path + "/sedAbc")
        watched.folder.write("made/for/a/moment", "x")
        Kernel.real.removeTree(watched.folder.path + "/made")
        #expect(try watched.told(["main.c"]) == ["main.c"])
    }

    @Test func stormOfTemporaryFiles_isNoChange() throws {
        let watched = try Watched(.native)
        try watched.watch(debounce: .milliseconds(300))
        for index in 0..<100 { watched.folder.write("cc\(index).s", "x") }
        for index in 0..<100 { try Kernel.real.remove(watched.folder.path + "/cc\(index).s") }
        #expect(try watched.told(["main.c"]) == ["main.c"])
    }

    @Test func change_isToldWithTheTimeOfTheFile() throws {
        let watched = try Watched(.scanning(.milliseconds(300)))
        try watched.watch()
        watched.folder.write("made.c", "x")
        let written = Instant.now
        let change = try watched.next()
        #expect(change.first == change.last && change.last <= written)
    }

    /// Written under a name that is left out, given its own by link(2), and the former removed: it is never closed.
    @Test func fileThatIsLinkedIntoItsPlace_counts() throws {
        let watched = try Watched(.native)
        try watched.watch(debounce: .milliseconds(1))
        let folder = watched.folder
        folder.write("main.c.tmp", "x")
        let held = Handoff<Bool>()
        watched.hub.post { _ in _ = held.take() }
        #expect(link(folder.path + "/main.c.tmp", folder.path + "/main.c") == 0)
        try Kernel.real.remove(folder.path + "/main.c.tmp")
        held.give(true)
        #expect(try watched.next().paths == ["main.c"])
    }

    @Test func patternsThatHoldFromOutside_areHeeded() throws {
        let watched = try Watched(.native)
        let folder = watched.folder
        folder.write("repo/.git/info/exclude", "mine.c\r\n/app/local.c\r\n")
        folder.write("repo/.gitignore", "\u{FEFF}made.c\r\n")
        folder.write("repo/app/src/old.c", "x")
        try watched.watch(["repo/app", "end"])
        let files = ["repo/app/mine.c", "repo/app/src/made.c", "repo/app/local.c", "repo/app/src/x.c"]
        #expect(try watched.told(files) == ["repo/app/src/x.c"])
        folder.write("repo/.gitignore", "x.c\n")
        folder.write("repo/.git/info/exclude", "")
        // What tells of them comes before what is told here, on the same way.
        #expect(try watched.told(files) == Set(files).subtracting(["repo/app/src/x.c"]))
    }

    @Test func worktree_hasTheListOfItsRepository() throws {
        let watched = try Watched(.native)
        let folder = watched.folder
        folder.write("repo/.git/info/exclude", "mine.c\n")
        folder.write("repo/.git/worktrees/it/commondir", "../..\n")
        folder.write("it/.git", "gitdir: ../repo/.git/worktrees/it\n")
        try watched.watch(["it", "end"])
        #expect(try watched.told(["it/mine.c", "it/x.c"]) == ["it/x.c"])
    }

    @Test(arguments: Way.allCases) func links_areFollowedAndRulesHoldBehindThem(way: Way) throws {
        let watched = try Watched(way.backend)
        let folder = watched.folder
        for release in ["1", "2"] { folder.write("releases/\(release)/src/a.c", release) }
        folder.write("releases/conf-1", "x")
        folder.write("releases/conf-2", "x")
        try Kernel.real.link("releases/1", at: folder.path + "/current")
        try Kernel.real.link("releases/conf-1", at: folder.path + "/conf")
        try watched.watch(["current/src/**/*.c", "conf", "end"], ignore: ["/current/src/made.c"])
        #expect(try watched.told(["releases/1/src/a.c"]) == ["current/src/a.c"])
        let files = ["releases/1/src/made.c", "releases/1/src/a.h", "releases/2/src/a.c", "releases/conf-1"]
        #expect(try watched.told(files) == ["conf"])
        // They come to point elsewhere.
        for (name, target) in [("current", "releases/2"), ("conf", "releases/conf-2")] {
            try Kernel.real.link(target, at: folder.path + "/new")
            try Kernel.real.rename(folder.path + "/new", to: folder.path + "/" + name)
        }
        #expect(try watched.told([]).isSuperset(of: ["current/src/a.c", "conf"]))
        let now = ["releases/1/src/a.c", "releases/2/src/a.c", "releases/conf-1", "releases/conf-2"]
        _ = try watched.told(now)
        #expect(try watched.told(now) == ["current/src/a.c", "conf"])
    }

    @Test func pathsOutsideTheFolder_areLeftOutByName() throws {
        let watched = try Watched(.native)
        watched.folder.write("shared/a.c", "x")
        watched.folder.write("app/a.c", "x")
        try watched.watch(["../shared", "../end"], ignore: ["*.gen.c", "/deep/b.c"], in: "app")
        let files = ["shared/x.gen.c", "shared/deep/b.c", "shared/b.c", "app/b.c"]
        let told = try watched.told(files, end: watched.folder.path + "/end")
        #expect(told == [watched.folder.path + "/shared/b.c"])
    }

    @Test(arguments: Way.allCases) func root_thatIsRenamedOrReplaced_isFollowed(way: Way) throws {
        let watched = try Watched(way.backend)
        let folder = watched.folder
        folder.write("src/a.c", "x")
        folder.write("new/a.c", "x")
        try watched.watch(["src", "end"])
        try Kernel.real.rename(folder.path + "/src", to: folder.path + "/old")
        try Kernel.real.rename(folder.path + "/new", to: folder.path + "/src")
        #expect(try watched.told([]).contains { $0.hasPrefix("src") })
        #expect(try watched.told(["old/a.c", "src/a.c"]) == ["src/a.c"])
    }

    /// More events than the kernel keeps, while nobody reads them: of many files, and of many folders that are watched.
    @Test(arguments: [false, true]) func lostEvents_areFoundByLookingAgain(ofFolders: Bool) throws {
        let queued = try Kernel.real.readFile("/proc/sys/fs/inotify/max_queued_events")
        let most = try #require(Int(String(decoding: queued, as: UTF8.self).filter(\.isNumber)))
        let watched = try Watched(.native)
        let folder = watched.folder
        folder.write("quiet/old.c", "x")
        folder.write("quiet/gone.c", "x")
        let places = (0...(most + 10)).map { "storm/\($0 / 100)/\($0)" }
        if ofFolders { for place in places { try Kernel.real.makeDirectory(folder.path + "/" + place) } }
        try watched.watch(["**/*.c", "end"], debounce: .milliseconds(200))
        let (began, goOn) = (Handoff<Bool>(), Handoff<Bool>())
        watched.hub.post { _ in
            began.give(true)
            _ = goOn.take()
        }
        _ = began.take()
        if ofFolders {
            Kernel.real.removeTree(folder.path + "/storm")
        } else {
            // Two events each, of files that don't count.
            for index in 0...(most / 2) { folder.write("quiet/\(index).o", "") }
        }
        folder.write("late/sub/x.c", "x")
        try Kernel.real.remove(folder.path + "/quiet/gone.c")
        goOn.give(true)
        let told = try watched.paths(until: "late/sub/x.c")
        #expect(told == ["quiet/gone.c", "late/sub/x.c"], "\(told)")
        try watched.settle()
        // What was made while events were lost is watched by now, and the rest still is.
        #expect(try watched.told(["late/sub/y.c", "quiet/old.c"]).isSuperset(of: ["late/sub/y.c", "quiet/old.c"]))
        // Nothing goes on by itself.
        #expect(try watched.told([]).isEmpty)
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
