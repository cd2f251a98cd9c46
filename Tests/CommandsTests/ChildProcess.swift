import Dispatch
import Platform
import TestSupport

/// What a program did.
struct ChildProcess {
    var status: Int32
    var output: String
    var errors: String

    /// The built `devmesh`, beside the test bundle.
    static let devmesh = String(fixtureProgram.dropLast("fixture".count)) + "devmesh"

    /// Runs a program to its end, with an environment that knows nothing of this machine's user.
    static func run(
        _ path: String, _ arguments: [String], in folder: String = "/", environment: [String: String] = [:]
    ) throws -> ChildProcess {
        // Not by Foundation, whose children other tests' supervisors, subreapers in this process, would reap as orphans.
        let output = try Kernel.real.pipe()
        let errors = try Kernel.real.pipe()
        let pid = try ChildTable.spawn(
            SpawnRequest(
                path: path, arguments: [path] + arguments,
                environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }, directory: folder),
            stdout: output.writer.raw, stderr: errors.writer.raw)
        output.writer.close()
        errors.writer.close()
        let collector = Collector()
        let reader = errors.reader.release()
        _ = try PlatformThread("errors") { collector.finish(text(Descriptor(owning: reader))) }
        let said = text(output.reader)
        return ChildProcess(status: ChildTable.wait(pid).shellCode, output: said, errors: collector.wait())
    }

    private static func text(_ reader: consuming Descriptor) -> String {
        var bytes: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
            while case .bytes(let count)? = try? Kernel.real.read(reader, into: buffer) { bytes += buffer[..<count] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Runs a line of shell, where `devmesh` is the built one.
    static func shell(_ line: String, in folder: String = "/", environment: [String: String] = [:]) throws
        -> ChildProcess
    {
        let path = devmesh.split(separator: "/").dropLast().joined(separator: "/")
        let environment = environment.merging(["PATH": "/\(path):/usr/bin:/bin"]) { $1 }
        return try run("/bin/bash", ["-c", line], in: folder, environment: environment)
    }
}

/// Hands bytes from a reading thread to the one that waits.
///
/// Invariant of `@unchecked Sendable`: `text` is written before `ready` is signalled and read after waiting for it.
private final class Collector: @unchecked Sendable {
    private var text = ""
    private let ready = DispatchSemaphore(value: 0)

    func finish(_ text: String) {
        self.text = text
        ready.signal()
    }

    func wait() -> String {
        ready.wait()
        return text
    }
}
