import Platform
@testable import Project
import TestSupport
import Testing

/// A folder with a project in it and places of its own, for one test.
struct ProjectFixture {
    let folder = TemporaryFolder()
    let places: Places
    let project: LocatedProject

    init(_ file: String = "shop/services.json") {
        places = Places(state: folder.path + "/state/devmesh", runtime: folder.path + "/run/devmesh")
        project = LocatedProject(manifest: folder.write(file, "{}"))
    }

    func locator(in sub: String = "", _ environment: [String: String] = [:]) -> Locator {
        Locator(currentDirectory: Path.join(folder.path, sub), environment: environment)
    }

    /// Makes `project` look up: a record, and a socket that listens until the value goes.
    func bringUp(_ project: LocatedProject) throws -> Up {
        guard case .acquired(let lease) = try SupervisorLease.acquire(project, places: places) else {
            throw Refused()
        }
        try lease.prepareSocket()
        let up = Up(lease: lease, listener: try Kernel.real.listen(at: .unix(lease.socket)))
        try lease.publish(record(of: project))
        return up
    }

    func record(of project: LocatedProject) -> MeshRecord { Self.sample(project, places) }

    static func sample(_ project: LocatedProject, _ places: Places) -> MeshRecord {
        MeshRecord(
            manifest: project.manifest, name: "shop", pid: ThisProcess.id, started: WallTime(microseconds: 1_000_000),
            socket: project.socket(places), gatewayPort: 20_000, insistedPorts: [8080: "web"])
    }

    final class Up {
        let lease: SupervisorLease
        private var listener: Descriptor?

        init(lease: SupervisorLease, listener: consuming Descriptor) {
            self.lease = lease
            self.listener = consume listener
        }

        /// As a SIGKILL leaves it: nobody listens, nobody has the locks, and the files are still there.
        ///
        /// A child that another test is about to start shares all descriptors until it executes its program, and that
        /// takes a while on a busy machine: so it waits for the locks, which the child has as long as the socket.
        func die() throws {
            listener = nil
            lease.release()
            for lock in [lease.project.lifeLock, lease.project.startLock] {
                try Kernel.real.lock(try Kernel.real.open(lock, .readWrite))
            }
            let address = SocketAddress.unix(lease.socket)
            while let probe = try? Kernel.real.socket(for: address),
                (try? Kernel.real.connect(probe, to: address)) != nil
            {}
        }
    }

    struct Refused: Error {}
}

/// Makes a symbolic link.
func symlink(_ target: String, at path: String) throws {
    let pid = try ChildTable.spawn(
        SpawnRequest(path: "/bin/ln", arguments: ["ln", "-s", target, path], environment: [:]))
    #expect(ChildTable.wait(pid).isSuccess)
}

extension Descriptor {
    /// The next bytes, waiting for them.
    func text() -> String {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            guard case .bytes(let count)? = try? Kernel.real.read(self, into: buffer) else { return "" }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
