import JSON
import Platform

/// The right to be the one supervisor of a project: held from before anything is started until the process ends.
///
///     start.lock   ██████            held while a supervisor starts, until its socket can be asked
///     life.lock    ████████████████  held for as long as it lives
///     mesh.json          ▒▒▒▒▒▒▒▒▒▒  published … withdrawn
///
/// So whoever waits for `start.lock` and gets it finds either a mesh that answers, or one that is ending, or nobody:
/// nobody has to look again after a while. Both are flock(2) locks, which the kernel gives back when the process dies
/// however it dies.
public final class SupervisorLease {
    public let project: LocatedProject
    public let places: Places
    private let kernel: Kernel
    private var start: Descriptor?
    private var life: Descriptor?

    /// What asking for the lease came to.
    public enum Outcome {
        /// This process is the supervisor now.
        case acquired(SupervisorLease)
        /// Another one is, and answers.
        case running(MeshRecord)
    }

    private init(
        project: LocatedProject, places: Places, kernel: Kernel, start: consuming Descriptor, life: consuming Descriptor
    ) {
        self.project = project
        self.places = places
        self.kernel = kernel
        self.start = consume start
        self.life = consume life
    }

    /// Where the control socket has to be bound; nothing is in the way there.
    public var socket: String { project.socket(places) }

    /// Asks for the lease. Waits while another process is just starting, and until one that is ending has ended; for
    /// threads that may wait.
    ///
    /// - Parameter waiting: called before it waits for one that is ending, to tell the user.
    public static func acquire(
        _ project: LocatedProject, places: Places, kernel: Kernel = .real, waiting: () -> Void = {}
    ) throws(ProjectError) -> Outcome {
        try project.makeStateFolder(kernel)
        var lost: ProjectError?
        do throws(Errno) {
            let start = try kernel.open(project.startLock, .readWrite)
            try kernel.lock(start)
            let life = try kernel.open(project.lifeLock, .readWrite)
            let isFree = try kernel.tryLock(life)
            if let record = MeshRecord.find(project, places: places, kernel: kernel) { return .running(record) }
            if !isFree {
                lost = Self.lost(project, places, kernel)
                if lost != nil { throw .busy }
                waiting()
                try kernel.lock(life)
            }
            let lease = SupervisorLease(project: project, places: places, kernel: kernel, start: start, life: life)
            lease.withdraw()
            return .acquired(lease)
        } catch {
            if let lost { throw lost }
            throw .unwritable(
                path: project.stateFolder, error, mend: "devmesh keeps its locks there: make it writable.")
        }
    }

    /// The mesh that has the lease, if it is not ending and can't be asked nevertheless, since somebody removed its
    /// socket or the record of it: one that ends closes its journal, then withdraws its record, then the socket.
    private static func lost(_ project: LocatedProject, _ places: Places, _ kernel: Kernel) -> ProjectError? {
        if let record = MeshRecord.read(project.recordFile, kernel), record.manifest == project.manifest,
            kernel.status(record.socket) == nil, kernel.status(project.recordFile) != nil
        {
            return .lost(pid: record.pid, socket: record.socket)
        }
        return Journal.livingSupervisor(of: project, kernel: kernel).map {
            .lost(pid: $0, socket: project.socket(places))
        }
    }

    /// Makes the socket's folder; call it before the socket is bound.
    public func prepareSocket() throws(ProjectError) {
        try project.makeRuntimeFolder(places, kernel)
    }

    /// Tells everybody that the mesh is up. Call it once the control socket listens; from then on another `up` follows
    /// this one. Call it again when what it says has changed.
    public func publish(_ record: MeshRecord) throws(ProjectError) {
        let bytes = Array((record.json.pretty() + "\n").utf8)
        var failure: ProjectError?
        for path in [project.recordFile, MeshRecord.runtimeRecord(project, places)] {
            do throws(Errno) {
                try kernel.replaceFile(path, with: bytes, isDurable: false)
                // One of them is enough to be found.
                start = nil
            } catch {
                failure = .unwritable(path: path, error, mend: "Make room and check the folder's permissions.")
            }
        }
        if let failure { throw failure }
    }

    /// Tells everybody that the mesh is no longer up, and removes the socket. The lease itself ends with the process,
    /// or with `release`, when nothing of the mesh is left.
    public func withdraw() {
        try? kernel.remove(project.recordFile)
        kernel.removeTree(project.runtimeFolder(places))
    }

    /// Gives up the lease.
    public func release() {
        start = nil
        life = nil
    }

    /// Waits until no mesh is starting or ending, and returns the one that is up then; for threads that may wait.
    ///
    /// Whoever only waited for the lease to be free might wait for the whole life of a mesh that came next.
    ///
    /// - Parameter former: a mesh that is known to be ending, though it can be found still.
    public static func waitForEnd(
        _ project: LocatedProject, of former: MeshRecord? = nil, places: Places, kernel: Kernel = .real
    ) throws(ProjectError) -> MeshRecord? {
        var lost: ProjectError?
        do throws(Errno) {
            // Nobody starts from here on, except for one that has done so.
            let start = try openExisting(project.startLock, kernel)
            try kernel.lock(start)
            if let record = MeshRecord.find(project, places: places, kernel: kernel),
                record.pid != former?.pid || record.started != former?.started
            {
                return record
            }
            let life = try openExisting(project.lifeLock, kernel)
            if try !kernel.tryLock(life) {
                lost = Self.lost(project, places, kernel)
                if lost != nil { throw .busy }
                try kernel.lock(life)
            }
            // Held until the other is had as well.
            withExtendedLifetime(start.raw) {}
            return nil
        } catch {
            if let lost { throw lost }
            // Without a state folder nobody can have it.
            if error == .noEntry || error == .notDirectory { return nil }
            throw .unreadable(path: project.lifeLock, error)
        }
    }

    /// On a disk that has become read-only since there is nothing to write, but still to wait for.
    private static func openExisting(_ lock: String, _ kernel: Kernel) throws(Errno) -> Descriptor {
        do throws(Errno) { return try kernel.open(lock, .readWrite) } catch {
            guard error == .readOnlyFileSystem else { throw error }
            return try kernel.open(lock, .read)
        }
    }

    /// Removes what a dead supervisor left behind, unless somebody is starting or living there after all.
    static func clean(_ project: LocatedProject, runtimeFolder: String, _ kernel: Kernel) {
        if kernel.status(project.stateFolder) != nil {
            guard let start = try? kernel.open(project.startLock, .readWrite), (try? kernel.tryLock(start)) == true,
                let life = try? kernel.open(project.lifeLock, .readWrite), (try? kernel.tryLock(life)) == true
            else { return }
            try? kernel.remove(project.recordFile)
            kernel.removeTree(runtimeFolder)
        } else {
            kernel.removeTree(runtimeFolder)
        }
    }
}
