import EventLoop
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Watch

final class Troubles: Sendable {
    let all = Mutex<[String]>([])
}

/// A folder that is watched, and what is told of it.
final class Watched: Sendable {
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
        leavesOutPrograms: Bool = false, since: WallTime? = nil, in place: String = "."
    ) throws {
        let request = WatchRequest(
            folder: Path.join(folder.path, place), paths: paths, ignore: ignore, debounce: debounce,
            leavesOutPrograms: leavesOutPrograms)
        // What was made a moment ago is no news: the clock of files is a tick behind.
        let since = since ?? WallTime(microseconds: WallTime.now.microseconds + 10_000)
        hub.watch("it", request, since: since, on: receiver.remote) { [weak self] _, change in
            self?.told.withLock { $0.append(change) }
            self?.arrivals.signal()
        }
        try settle()
    }

    /// Waits until a change in a folder beside has been watched, made and told.
    func untilAnotherIsTold() throws {
        let place = folder.path + "/beside-\(UInt64.random(in: 0 ... .max))"
        try Kernel.real.makeDirectory(place)
        let isTold = Handoff<Bool>()
        let request = WatchRequest(folder: place, debounce: .milliseconds(20))
        hub.watch("beside", request, on: receiver.remote) { _, _ in isTold.give(true) }
        try settle()
        try Kernel.real.replaceFile(place + "/x", with: [])
        #expect(isTold.take(within: Self.limit) == true)
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
    /// - Parameter end: as it is told.
    func told(_ files: [String], end: String = "end") throws -> Set<String> {
        for file in files { folder.write(file, "x\(UInt64.random(in: 0 ... .max))") }
        folder.write("end", "\(UInt64.random(in: 0 ... .max))")
        return try paths(until: end).subtracting([end])
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
