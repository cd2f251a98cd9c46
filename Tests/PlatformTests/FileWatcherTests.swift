@testable import Platform
import TestSupport
import Testing

@Suite struct FileWatcherTests {
    @Test func add_folder_tellsCreationChangeAndRemoval() throws {
        let folder = TemporaryFolder()
        let watcher = try FileWatcher()
        let watch = try watcher.add(folder.path)
        folder.write("file", "x")
        try Kernel.real.remove(folder.path + "/file")
        #expect(watcher.wait(timeout: .seconds(10)))
        var events: [FileWatcher.Event] = []
        watcher.drain { events.append($0) }
        // Created, changed, removed.
        #expect(events.count == 3 && events.allSatisfy { $0 == .init(watch: watch, name: "file") })
    }

    @Test func wait_quiet_timesOut() throws {
        let folder = TemporaryFolder()
        let watcher = try FileWatcher()
        _ = try watcher.add(folder.path)
        #expect(!watcher.wait(timeout: .milliseconds(1)))
    }

    @Test func add_nothingThere_throws() throws {
        let watcher = try FileWatcher()
        #expect(throws: Errno.noEntry) { _ = try watcher.add("/nonexistent/path") }
    }
}
