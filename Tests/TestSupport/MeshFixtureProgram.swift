import EventLoop
import Platform
import Synchronization

/// A program that a test started; what it says is collected by threads of their own.
public final class MeshProgram: Sendable, CustomStringConvertible {
    public let pid: Int32
    public let output = MeshOutput()
    public let errors = MeshOutput()
    private let arguments: [String]
    private let ended = Mutex<ExitStatus?>(nil)
    private let end = MeshOutput()

    /// How a program ended, and what it had said by then.
    public struct Result: Sendable, CustomStringConvertible {
        public var code: Int32
        public var output: String
        public var errors: String
        public var description: String { "exit code \(code)\n--- stdout\n\(output)--- stderr\n\(errors)" }
    }

    init(_ request: SpawnRequest) throws {
        arguments = request.arguments
        let out = try Kernel.real.pipe()
        let err = try Kernel.real.pipe()
        pid = try ChildTable.spawn(request, stdout: out.writer.raw, stderr: err.writer.raw)
        out.writer.close()
        err.writer.close()
        try output.collect(out.reader)
        try errors.collect(err.reader)
        try awaitEnd()
    }

    /// On a terminal, which all of its output comes from.
    init(_ request: SpawnRequest, _ terminal: consuming PseudoTerminal) throws {
        arguments = request.arguments
        let programs = terminal.programs
        pid = try ChildTable.spawn(request, stdin: programs.raw, stdout: programs.raw, stderr: programs.raw)
        programs.close()
        try output.collect(terminal.ours)
        errors.finish()
        try awaitEnd()
    }

    private func awaitEnd() throws {
        _ = try PlatformThread("program") { [self] in
            let status = ChildTable.wait(pid)
            ended.withLock { $0 = status }
            end.finish()
        }
    }

    public var isRunning: Bool { ended.withLock { $0 == nil } }

    /// - Parameter group: its whole process group, as the terminal does it.
    public func signal(_ signal: Signal, group: Bool = false) { ChildTable.signal(pid, signal, group: group) }

    /// Waits for its end.
    public func exit() throws -> ExitStatus {
        try end.waitForEnd("\(arguments) to end")
        return ended.withLock { $0! }
    }

    /// Waits for its end and that of its output.
    public func result() throws -> Result {
        let status = try exit()
        try output.waitForEnd("the end of stdout of \(arguments)")
        try errors.waitForEnd("the end of stderr of \(arguments)")
        return Result(code: status.shellCode, output: output.text, errors: errors.text)
    }

    public var description: String {
        let ended = ended.withLock { $0.map { "\($0)" } } ?? "running"
        return "$ \(arguments.joined(separator: " "))  (\(ended))\n"
            + String((output.text + errors.text).suffix(4000))
    }
}

/// What comes out of a pipe, for threads that wait for something in it.
public final class MeshOutput: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var hasEnded = false
        var waiting: [(isMet: @Sendable (State) -> Bool, handoff: Handoff<Bool>)] = []

        /// Tells those who wait in vain as well, once nothing more comes.
        mutating func settle() {
            let now = self
            waiting.removeAll { waiter in
                let isMet = waiter.isMet(now)
                if isMet || now.hasEnded { waiter.handoff.give(isMet) }
                return isMet || now.hasEnded
            }
        }
    }

    private let state = Mutex(State())
    /// Generous, for loaded machines; whoever waits this long has failed.
    private static let limit = patience(.seconds(60))

    public var bytes: [UInt8] { state.withLock { $0.bytes } }
    public var text: String { String(decoding: bytes, as: UTF8.self) }
    public var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// Waits until `text` has come, `count` times.
    public func wait(for text: String, count: Int = 1) throws {
        try wait(for: "\(count) × \"\(text)\"") { state in
            String(decoding: state.bytes, as: UTF8.self).ranges(of: text).count >= count
        }
    }

    /// Waits for a whole line that begins with `start`, and returns what follows there.
    public func rest(after start: String) throws -> String {
        let find: @Sendable ([UInt8]) -> String? = { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let whole = text.lastIndex(of: "\n").map { text[..<$0] } ?? ""
            return whole.split(separator: "\n").lazy.compactMap { line in
                line.firstRange(of: start).map { String(line[$0.upperBound...]) }
            }.first
        }
        try wait(for: "a line with \"\(start)\"") { find($0.bytes) != nil }
        return find(bytes)!
    }

    func waitForEnd(_ what: String) throws { try wait(for: what) { $0.hasEnded } }

    private func wait(for what: String, _ isMet: @escaping @Sendable (State) -> Bool) throws {
        let handoff = Handoff<Bool>()
        state.withLock { state in
            state.waiting.append((isMet, handoff))
            state.settle()
        }
        guard handoff.take(within: Self.limit) == true else {
            throw MeshFailure("waited in vain for \(what); there was:\n\(text.suffix(4000))")
        }
    }

    /// Reads until the pipe's end, on a thread.
    func collect(_ reader: consuming Descriptor) throws {
        let raw = reader.release()
        _ = try PlatformThread("output") { [self] in
            let reader = Descriptor(owning: raw)
            withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
                while case .bytes(let count)? = try? Kernel.real.read(reader, into: buffer) {
                    state.withLock { state in
                        state.bytes.append(contentsOf: buffer[..<count])
                        state.settle()
                    }
                }
            }
            finish()
        }
    }

    func finish() {
        state.withLock { state in
            state.hasEnded = true
            state.settle()
        }
    }
}
