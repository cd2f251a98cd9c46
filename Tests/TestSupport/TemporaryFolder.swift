import Platform

/// A folder for one test, removed with all that is in it when the last reference goes.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() {
        let base = ThisProcess.environment["TMPDIR"] ?? "/tmp"
        let name = "devmesh-test-\(ThisProcess.id)-\(UInt64.random(in: 0 ... .max))"
        try! Kernel.real.makeDirectory(base + "/" + name)
        path = try! Kernel.real.realPath(base + "/" + name)
    }

    deinit { Kernel.real.removeTree(path) }

    /// Writes a file below the folder and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String, permissions: UInt32 = 0o600) -> String {
        let whole = Path.join(path, name)
        try! Kernel.real.makeDirectory(Path.parent(whole))
        let file = try! Kernel.real.open(whole, .truncate, permissions: permissions)
        try! Kernel.real.writeAll(file, text)
        return whole
    }

    public func read(_ name: String) -> String? {
        (try? Kernel.real.readFile(Path.join(path, name))).map { String(decoding: $0, as: UTF8.self) }
    }
}
