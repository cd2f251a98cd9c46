@testable import Platform
import TestSupport
import Testing

@Suite struct FileWatcherTests {
    @Test func addWrites_folder_tellsCreationChangeAndRemoval() throws {
        let folder = TemporaryFolder()
        let watcher = try FileWatcher()
        let watch = try watcher.addWrites(folder.path)
        folder.write("file", "x")
        try Kernel.real.remove(folder.path + "/file")
        #expect(watcher.wait(timeout: .seconds(10)))
        var events: [FileEvent] = []
        watcher.drain { events.append($0) }
        #expect(events.map(\.kind) == [.appeared, .changed, .disappeared])
        #expect(events.allSatisfy { $0.watch == watch && $0.name == "file" && !$0.isFolder })
    }

    @Test func wait_quiet_timesOut() throws {
        let folder = TemporaryFolder()
        let watcher = try FileWatcher()
        _ = try watcher.add(folder.path)
        #expect(!watcher.wait(timeout: .milliseconds(1)))
    }

    @Test func add_faultInjected_throws() throws {
        let faults = FaultPlan()
        let watcher = try FileWatcher(kernel: Kernel(faults: faults))
        faults.injectNext(.watch, .fails(.noSpace))
        #expect(throws: Errno.noSpace) { _ = try watcher.add("/") }
        faults.injectNext(.watch, .fails(.tooManyOpenFiles))
        #expect(throws: Errno.tooManyOpenFiles) { _ = try FileWatcher(kernel: Kernel(faults: faults)) }
    }
}

/// What holds for every way to learn of changes: the system's, and looking again.
@Suite struct FolderWatchingTests {
    enum Backend: CaseIterable {
        case telling, scanning

        func make() throws -> any FolderWatching {
            switch self {
            case .telling: try FileWatcher()
            case .scanning: FolderScanner(interval: .milliseconds(1))
            }
        }
    }

    /// All that there is to tell by now; what the system tells is there as soon as the call that caused it has returned.
    private func events(_ watcher: any FolderWatching) -> [FileEvent] {
        var events: [FileEvent] = []
        watcher.drain { events.append($0) }
        return events
    }

    @Test(arguments: Backend.allCases) func file_comesChangesAndGoes_isTold(backend: Backend) throws {
        let folder = TemporaryFolder()
        let watcher = try backend.make()
        let watch = try watcher.add(folder.path)
        folder.write("file", "x")
        #expect(events(watcher).contains { $0.name == "file" && $0.kind == .appeared && $0.watch == watch })
        folder.write("file", "more")
        #expect(events(watcher) == [FileEvent(watch: watch, name: "file")])
        try Kernel.real.setPermissions(folder.path + "/file", 0o700)
        #expect(events(watcher) == [FileEvent(watch: watch, name: "file")])
        try Kernel.real.rename(folder.path + "/file", to: folder.path + "/other")
        let moved = events(watcher)
        #expect(moved.count == 2)
        #expect(moved.contains(FileEvent(watch: watch, name: "file", kind: .disappeared)))
        #expect(moved.contains(FileEvent(watch: watch, name: "other", kind: .appeared)))
        try Kernel.real.remove(folder.path + "/other")
        #expect(events(watcher) == [FileEvent(watch: watch, name: "other", kind: .disappeared)])
        #expect(events(watcher).isEmpty)
    }

    @Test(arguments: Backend.allCases) func file_replacedByRename_isTold(backend: Backend) throws {
        let folder = TemporaryFolder()
        folder.write("file", "x")
        let watcher = try backend.make()
        let watch = try watcher.add(folder.path)
        try Kernel.real.replaceFile(folder.path + "/file", with: Array("new".utf8))
        #expect(events(watcher).contains(FileEvent(watch: watch, name: "file", kind: .appeared)))
    }

    @Test(arguments: Backend.allCases) func folder_comesAndGoes_isToldAndItsInsideIsNot(backend: Backend) throws {
        let folder = TemporaryFolder()
        let watcher = try backend.make()
        let watch = try watcher.add(folder.path)
        try Kernel.real.makeDirectory(folder.path + "/sub")
        #expect(events(watcher).contains(FileEvent(watch: watch, name: "sub", kind: .appeared, isFolder: true)))
        folder.write("sub/file", "x")
        #expect(events(watcher).isEmpty)
        Kernel.real.removeTree(folder.path + "/sub")
        #expect(events(watcher).contains(FileEvent(watch: watch, name: "sub", kind: .disappeared, isFolder: true)))
    }

    @Test(arguments: Backend.allCases) func watch_ofARemovedFolder_ends(backend: Backend) throws {
        let folder = TemporaryFolder()
        try Kernel.real.makeDirectory(folder.path + "/sub")
        let watcher = try backend.make()
        let watch = try watcher.add(folder.path + "/sub")
        Kernel.real.removeTree(folder.path + "/sub")
        #expect(events(watcher).last == FileEvent(watch: watch, kind: .ended))
        #expect(events(watcher).isEmpty)
    }

    @Test(arguments: Backend.allCases) func remove_thenChange_nothingIsTold(backend: Backend) throws {
        let folder = TemporaryFolder()
        let watcher = try backend.make()
        let watch = try watcher.add(folder.path)
        watcher.remove(watch)
        folder.write("file", "x")
        #expect(events(watcher).allSatisfy { $0.kind == .ended })
    }

    @Test(arguments: Backend.allCases) func add_noFolder_throws(backend: Backend) throws {
        let folder = TemporaryFolder()
        let watcher = try backend.make()
        #expect(throws: Errno.noEntry) { _ = try watcher.add(folder.path + "/none") }
        let file = folder.write("file", "x")
        #expect(throws: Errno.notDirectory) { _ = try watcher.add(file) }
    }
}
