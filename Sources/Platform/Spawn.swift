import CPlatform
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program to start.
public struct SpawnRequest: Sendable {
    /// The file to execute; looked up by the caller (`Executable.find`).
    public var path: String
    /// `argv`, the program's name included.
    public var arguments: [String]
    public var environment: [String: String]
    /// Nil: as this process.
    public var directory: String?
    /// Its own session and process group, both named by its pid.
    public var newSession: Bool
    /// KILLed when the thread that starts it ends, as with this process; its children are not (prctl(2)).
    public var diesWithParent = false
    /// Numbers of the processors that it may run on (sched_setaffinity(2)); empty: as this process.
    public var processors: [Int32] = []
    /// Its stdin is a terminal that is to be its session's own (tty_ioctl(4), `TIOCSCTTY`).
    public var takesTerminal = false
    /// Its soft limit of open files; nil: what this process was started with.
    public var openFiles: UInt64?
    /// By which it and all that descends from it can be known (`ProcessTable.tag`), whatever they do with their
    /// environment, session and parents; nil: that of this process.
    public var tag: UInt64?
    /// Not in the control group of this process but in the one above, which outlives it.
    public var leavesGroup = false

    public init(
        path: String, arguments: [String], environment: [String: String], directory: String? = nil,
        newSession: Bool = true, openFiles: UInt64? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.newSession = newSession
        self.openFiles = openFiles
    }
}

public struct SpawnFailure: Error, Sendable, Equatable {
    public enum Stage: Int32, Sendable {
        case fork = 1, directory, stdio, exec, processors
    }
    public var stage: Stage
    public var error: Errno

    public init(stage: Stage, error: Errno) {
        self.stage = stage
        self.error = error
    }
}

extension Kernel {
    /// Starts a program with default signal handlers, an empty signal mask and no descriptors but its three.
    ///
    /// A file without `#!` line is given to `/bin/sh`, as execvp(3) does. Reaping is the child table's business: go
    /// through `ChildTable.spawn`.
    ///
    /// - Parameters: descriptors to become stdin, stdout and stderr; -1 for `/dev/null`.
    /// - Returns: the pid.
    func spawn(
        _ request: SpawnRequest, stdin: Int32, stdout: Int32, stderr: Int32, started: UnsafeMutablePointer<Int32>
    ) throws(SpawnFailure) -> Int32 {
        do throws(Errno) { _ = try limit(.spawn) } catch { throw SpawnFailure(stage: .fork, error: error) }
        do throws(SpawnFailure) {
            return try spawnOnce(request, stdin: stdin, stdout: stdout, stderr: stderr, started)
        } catch {
            guard error.stage == .exec, error.error == .noExecFormat else { throw error }
            var script = request
            script.path = "/bin/sh"
            script.arguments = ["sh", request.path] + request.arguments.dropFirst()
            return try spawnOnce(script, stdin: stdin, stdout: stdout, stderr: stderr, started)
        }
    }

    private func spawnOnce(
        _ request: SpawnRequest, stdin: Int32, stdout: Int32, stderr: Int32, _ started: UnsafeMutablePointer<Int32>
    ) throws(SpawnFailure) -> Int32 {
        let arguments = CStrings(request.arguments)
        let environment = CStrings(assignments: request.environment)
        let group = request.leavesGroup ? ControlGroup.own?.exit : nil
        var stage: Int32 = 0
        let result = request.path.withCString { path in
            withOptionalCString(request.directory) { directory in
                withOptionalCString(group) { group in
                    var native = cp_spawn()
                    native.path = path
                    native.argv = UnsafePointer(arguments.pointers)
                    native.envp = UnsafePointer(environment.pointers)
                    native.directory = directory
                    native.group = group
                    native.stdio = (stdin, stdout, stderr)
                    native.started = started
                    native.new_session = request.newSession ? 1 : 0
                    native.dies_with_parent = request.diesWithParent ? 1 : 0
                    native.takes_terminal = request.takesTerminal ? 1 : 0
                    native.nofile = request.openFiles ?? ThisProcess.openFilesBefore.load(ordering: .relaxed)
                    native.tag = request.tag ?? 0
                    guard !request.processors.isEmpty else { return cp_spawn(&native, &stage) }
                    return request.processors.withUnsafeBufferPointer { processors in
                        native.processors = processors.baseAddress
                        native.processor_count = Int32(processors.count)
                        return cp_spawn(&native, &stage)
                    }
                }
            }
        }
        if result < 0 { throw SpawnFailure(stage: .init(rawValue: stage) ?? .fork, error: Errno(-result)) }
        return result
    }
}

/// A NULL-terminated array of C strings that lives as long as this object.
final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// What they point into: each string with its NUL, one behind the other.
    private let bytes: UnsafeMutablePointer<CChar>
    private var used = 0
    private var count = 0

    init(_ strings: [String]) {
        pointers = .allocate(capacity: strings.count + 1)
        bytes = .allocate(capacity: strings.reduce(0) { $0 + $1.utf8.count + 1 })
        for string in strings { add(string) }
        end()
    }

    /// As `NAME=value`; quick, since a mesh's environments are large and each program gets its own.
    init(assignments: [String: String]) {
        pointers = .allocate(capacity: assignments.count + 1)
        bytes = .allocate(capacity: assignments.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 2 })
        for (name, value) in assignments { add(name, value) }
        end()
    }

    deinit {
        pointers.deallocate()
        bytes.deallocate()
    }

    /// There is room: `bytes` was measured by the same strings.
    private func add(_ string: String, _ value: String? = nil) {
        (pointers + count).initialize(to: bytes + used)
        count += 1
        copy(string)
        if let value {
            bytes[used] = CChar(UInt8(ascii: "="))
            used += 1
            copy(value)
        }
        bytes[used] = 0
        used += 1
    }

    private func copy(_ string: String) {
        var string = string
        string.withUTF8 { utf8 in
            guard let start = utf8.baseAddress else { return }
            (UnsafeMutableRawPointer(bytes) + used).copyMemory(from: start, byteCount: utf8.count)
            used += utf8.count
        }
    }

    private func end() { (pointers + count).initialize(to: nil) }
}

private func withOptionalCString<T>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> T) -> T {
    guard let string else { return body(nil) }
    return string.withCString(body)
}

/// Finding a program as a shell would.
public enum Executable {
    public enum Failure: Error, Sendable, Equatable {
        case notFound
        /// It is there, but a folder or lacks the permission.
        case notExecutable(String)
    }

    /// The path of `name`: itself, seen from `directory`, where it has a slash, else the first hit on `path`.
    public static func find(_ name: String, path: String?, directory: String, kernel: Kernel = .real) throws(Failure)
        -> String
    {
        if name.contains("/") {
            let whole = Path.join(directory, name)
            guard let status = kernel.status(whole) else { throw .notFound }
            guard status.kind == .file, access(whole, X_OK) == 0 else { throw .notExecutable(whole) }
            return whole
        }
        var unusable: String?
        for folder in (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":", omittingEmptySubsequences: false) {
            let whole = Path.join(Path.join(directory, folder.isEmpty ? "." : String(folder)), name)
            guard let status = kernel.status(whole), status.kind == .file else { continue }
            if access(whole, X_OK) == 0 { return whole }
            unusable = unusable ?? whole
        }
        if let unusable { throw .notExecutable(unusable) }
        throw .notFound
    }
}
