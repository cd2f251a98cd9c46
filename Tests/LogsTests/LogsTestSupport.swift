import EventLoop
import Platform
import Synchronization
import TestSupport

@testable import Logs

extension String {
    /// Calls `body` with the text's bytes.
    func bytes<T>(_ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
        try Array(utf8).withUnsafeBytes(body)
    }
}

/// What came out of a splitter or a reader: payload and mark.
struct Piece: Equatable, CustomStringConvertible {
    var text: String
    var mark: LineMark

    init(_ text: String, _ mark: LineMark) {
        self.text = text
        self.mark = mark
    }

    var description: String { "\(mark)(\(text.prefix(60)))" }
}

/// A store in a folder of its own, for one service, with an encoder of its own.
final class StoreFixture {
    let folder = TemporaryFolder()
    let encoder: RecordEncoder
    let kernel: Kernel
    private(set) var store: LogStore

    init(limit: Int = 256 << 20, kernel: Kernel = .real, service: String = "reader", nextSeq: Int = 1) {
        self.kernel = kernel
        encoder = RecordEncoder(nextSeq: nextSeq)
        store = LogStore(
            folder: folder.path + "/" + service, limit: limit, encoder: encoder, kernel: kernel)
    }

    /// Stores lines as one batch.
    func add(
        _ lines: String..., stream: LogStream = .stdout, instance: Int = 1, mark: LineMark = .whole,
        time: WallTime = .now
    ) {
        store.begin(stream, instance: instance, time: time)
        for line in lines { line.bytes { store.append($0, mark) } }
        store.endBatch()
    }

    var segments: [Segment] { store.folder.segments() }

    /// The bytes of all segments, oldest first.
    var text: String {
        segments.map { String(decoding: (try? kernel.readFile(store.folder.path(of: $0))) ?? [], as: UTF8.self) }
            .joined()
    }
}

/// What `LogPrinter.print` makes of a query.
func printed(_ query: LogQuery, _ format: LogFormat = LogFormat(.text, showsPrefix: false)) -> String {
    let folder = TemporaryFolder()
    let file = try! Kernel.real.open(folder.path + "/out", .truncate)
    _ = LogPrinter.print(query, format, to: file)
    return folder.read("out") ?? ""
}

/// The lines of `printed`.
func printedLines(_ query: LogQuery, _ format: LogFormat = LogFormat(.text, showsPrefix: false)) -> [String] {
    printed(query, format).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
}

/// A pipe that a test writes to, as a program would.
final class TestPipe {
    private var writer: Descriptor?
    private var reader: Descriptor?

    init() {
        // As every program of ours does: writing to a reader that is gone is an error, not the end.
        Signal.pipe.ignore()
        let pipe = try! Kernel.real.pipe()
        reader = consume pipe.reader
        writer = consume pipe.writer
    }

    /// The end to read, once.
    func takeReader() -> Descriptor { reader.take()! }

    func takeWriter() -> Descriptor { writer.take()! }

    func write(_ text: String) { try! Kernel.real.writeAll(writer!, text) }

    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try Kernel.real.writeAll(writer!, $0) } }

    func closeWriter() { writer = nil }

    func closeReader() { reader = nil }

    /// Reads until the writers are gone.
    func readAll() -> String {
        var bytes: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
            while case .bytes(let count)? = try? Kernel.real.read(reader!, into: buffer) {
                bytes.append(contentsOf: buffer[..<count])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads until `text` has come or the pipe ends; what was read.
    func read(until text: String) -> String {
        var bytes: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
            while case .bytes(let count)? = try? Kernel.real.read(reader!, into: buffer) {
                bytes.append(contentsOf: buffer[..<count])
                if String(decoding: bytes, as: UTF8.self).contains(text) { break }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A hub in a folder of its own, and a loop to be answered on.
final class HubFixture: Sendable {
    let folder: TemporaryFolder
    let hub: LogHub
    let caller: LoopThread

    init(
        folder: TemporaryFolder = TemporaryFolder(), kernel: Kernel = .real, limit: Int = 256 << 20,
        onTrouble: @escaping @Sendable (String, Errno) -> Void = { _, _ in }
    ) {
        self.folder = folder
        hub = try! LogHub(folder: folder.path + "/logs", limit: limit, kernel: kernel, onTrouble: onTrouble)
        caller = try! LoopThread("caller")
    }

    deinit {
        caller.stop()
    }

    var logs: String { folder.path + "/logs" }

    /// Waits for what a call of the hub answers.
    func wait<Value: Sendable>(_ call: (LoopRemote, @escaping @Sendable (Value) -> Void) -> Void) -> Value? {
        let result = Handoff<Value>()
        call(caller.remote) { result.give($0) }
        return result.take(within: patience(.seconds(30)))
    }

    func ended(_ source: LogHub.Source) {
        let _: Bool? = wait { remote, done in hub.ended(source, on: remote) { _ in done(true) } }
    }

    func close() {
        let _: Bool? = wait { remote, done in hub.close(on: remote) { _ in done(true) } }
    }

    func recent(_ service: String = "reader", _ count: Int = 10) -> [String] {
        let lines: [RecentLine]? = wait { remote, done in
            hub.recent(service, count: count, on: remote) { _, lines in done(lines) }
        }
        return (lines ?? []).map(\.text)
    }

    func attach(_ service: String = "reader", instance: Int = 1, watch: LogWatchRequest? = nil) -> (
        out: TestPipe, err: TestPipe, source: LogHub.Source
    ) {
        let (out, err) = (TestPipe(), TestPipe())
        let source = hub.attach(
            service: service, instance: instance, stdout: out.takeReader(), stderr: err.takeReader(), watch: watch)
        return (out, err, source)
    }
}
