import Plan
import Platform

/// The user's port registry on disk. Every change is made under one lock, and by writing beside, fsync and rename: of
/// two processes that change it at once each finds the other's change, and a crash leaves the old or the new content.
public struct RegistryFile {
    private let path: String
    private let kernel: Kernel

    public init(_ places: Places, kernel: Kernel = .real) {
        path = places.registry
        self.kernel = kernel
    }

    /// What the file holds, and a sentence for the user if it was damaged.
    public struct Content: Sendable, Equatable {
        public var registry: PortRegistry
        public var note: String?

        public init(registry: PortRegistry, note: String? = nil) {
            self.registry = registry
            self.note = note
        }
    }

    /// Reads it; a missing one is empty.
    public func read() throws(ProjectError) -> Content {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try kernel.readFile(path) } catch {
            if error == .noEntry { return Content(registry: PortRegistry()) }
            throw .unreadable(path: path, error)
        }
        switch PortRegistry.parse(bytes) {
        case .whole(let registry):
            return Content(registry: registry)
        case .damaged(let registry, let problems):
            let kept = registry.projects.count == 1 ? "1 project" : "\(registry.projects.count) projects"
            let note =
                "The port registry \(path) was damaged (\(problems.joined(separator: "; "))). "
                + "The ports of \(kept) could be kept; others may get new ones."
            return Content(registry: registry, note: note)
        case .newer(let version):
            throw .newer(path: path, version: version)
        }
    }

    /// Lets `body` change the registry while nobody else can. If it throws, nothing is changed.
    ///
    /// - Returns: what `body` returns, and a sentence for the user if the file was damaged. It is whole afterwards;
    ///   the damaged one is kept beside it, as `ports.json.damaged`.
    public func update<Result>(
        _ body: (inout PortRegistry) throws(PlanError) -> Result
    ) throws(ProjectError) -> (result: Result, note: String?) {
        let lock = try takeLock()
        // Held until the file is written.
        defer { withExtendedLifetime(lock.raw) {} }
        let content = try read()
        var registry = content.registry
        let result: Result
        do throws(PlanError) { result = try body(&registry) } catch { throw .plan(error) }
        if registry != content.registry || content.note != nil {
            do throws(Errno) {
                if content.note != nil { try kernel.rename(path, to: path + ".damaged") }
                try kernel.replaceFile(path, with: Array(registry.serialized().utf8))
            } catch {
                throw unwritable(error)
            }
        }
        return (result, content.note)
    }

    /// Waits for the lock, which is on a file of its own: the registry's is replaced by each change.
    private func takeLock() throws(ProjectError) -> Descriptor {
        do throws(Errno) {
            try kernel.makeDirectory(Path.parent(path))
            let lock = try kernel.open(path + ".lock", .readWrite)
            try kernel.lock(lock)
            return lock
        } catch {
            throw unwritable(error)
        }
    }

    private func unwritable(_ error: Errno) -> ProjectError {
        .unwritable(
            path: path, error, mend: "Make room and check its folder's permissions, or set XDG_STATE_HOME to another.")
    }
}
