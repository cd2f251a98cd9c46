import Foundation
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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let output = Foundation.Pipe()
        let errors = Foundation.Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let collector = Collector()
        let reader = Thread { collector.finish(errors.fileHandleForReading.readDataToEndOfFile()) }
        reader.start()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return ChildProcess(
            status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: collector.wait(), as: UTF8.self))
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
/// Invariant of `@unchecked Sendable`: `data` is written before `ready` is signalled and read after waiting for it.
private final class Collector: @unchecked Sendable {
    private var data = Data()
    private let ready = DispatchSemaphore(value: 0)

    func finish(_ data: Data) {
        self.data = data
        ready.signal()
    }

    func wait() -> Data {
        ready.wait()
        return data
    }
}
