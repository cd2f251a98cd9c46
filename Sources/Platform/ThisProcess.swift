import CPlatform
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// This process: who it is, what it was given, what it may do.
public enum ThisProcess {
    public static var id: Int32 { getpid() }
    public static var userID: UInt32 { getuid() }

    /// How many processors are in use (sysconf(3)); at least 1.
    public static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Numbers of the processors that this process may run on; empty where the system won't be told (macOS).
    public static var usableProcessors: [Int32] {
        [Int32](unsafeUninitializedCapacity: 1024) { buffer, count in
            count = min(max(Int(cp_processors(buffer.baseAddress, 1024)), 0), 1024)
        }
    }

    /// The environment as it was given; of repeated names the first counts, as in getenv(3).
    public static var environment: [String: String] {
        var result: [String: String] = [:]
        guard var entry = environmentPointer() else { return result }
        while let text = entry.pointee {
            let line = String(cString: text)
            if let equals = line.firstIndex(of: "="), equals != line.startIndex {
                let name = String(line[..<equals])
                if result[name] == nil { result[name] = String(line[line.index(after: equals)...]) }
            }
            entry += 1
        }
        return result
    }

    public static var currentDirectory: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    /// The desktop's program that opens an address in the user's browser; nil where there is no desktop.
    public static func desktopOpener(_ environment: [String: String]) -> String? {
        #if os(macOS)
            return "open"
        #else
            let hasDesktop = ["DISPLAY", "WAYLAND_DISPLAY"].contains { !environment[$0, default: ""].isEmpty }
            return hasDesktop ? "xdg-open" : nil
        #endif
    }

    /// The file that this process executes; nil where it was removed or the system won't tell.
    public static var executablePath: String? {
        #if os(Linux)
            return try? Kernel.real.realPath("/proc/self/exe")
        #else
            var size: UInt32 = 4096
            var buffer = [CChar](repeating: 0, count: Int(size))
            guard _NSGetExecutablePath(&buffer, &size) == 0 else { return nil }
            return try? Kernel.real.realPath(String(cString: buffer))
        #endif
    }

    /// Replaces this program by another (execve(2)); returns only on failure.
    public static func execute(_ path: String, arguments: [String], environment: [String: String], directory: String?)
        -> Errno
    {
        if let directory, chdir(directory) != 0 { return Errno.last }
        let argv = CStrings(arguments)
        let envp = CStrings(assignments: environment)
        signal(SIGPIPE, SIG_DFL)
        execve(path, argv.pointers, envp.pointers)
        let error = Errno.last
        guard error == .noExecFormat else { return error }
        let script = CStrings(["sh", path] + arguments.dropFirst())
        execve("/bin/sh", script.pointers, envp.pointers)
        return Errno.last
    }

    /// Stops this process and those that the shell started with it, until the shell lets them go on.
    public static func stopJob() { kill(0, SIGSTOP) }

    /// The session and the group that this process was in before `leaveJob`.
    static let formerJob = Mutex<(session: Int32, group: Int32)?>(nil)

    /// Begins a session of its own: what is sent to the job that the user started does not reach this process any more.
    static func leaveJob() {
        formerJob.withLock { $0 = (getsid(0), getpgrp()) }
        setsid()
    }

    /// Puts right what whoever started this process may have left in disorder; to be called before anything else.
    public static func tidyUp() {
        // A file that is opened later must not be taken for standard output.
        for stream: Int32 in 0...2 where fcntl(stream, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
        // Else nobody could learn how a child has ended.
        signal(SIGCHLD, SIG_DFL)
        // A launcher that blocks ^C, as some threads of some programs do, would have us deaf to it.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }

    public static func exit(_ code: Int32) -> Never { leave(code) }

    /// Ends as a signal would end it, so that whoever waits for this process sees that.
    public static func end(by signal: Signal) -> Never {
        cp_die(signal.number)
        leave(ExitStatus.signalled(signal).shellCode)
    }

    /// Gives back the memory of this program's code, most of which is for a start; what runs again is soon there again.
    public static func dropCode() { cp_drop_code() }

    /// From now on a crash of this process leaves a report at `path`: `about`, which ends in a newline, the signal, the
    /// stack as addresses (also from the program's beginning, as addr2line(1) wants them) and the memory map.
    public static func reportCrashes(to path: String, about: String) { cp_report_crashes(path, about) }

    /// The soft limit of open files that this process was started with, once it has raised its own; else 0. Programs
    /// get this one: some take descriptors above 1023 badly (select(2)).
    static let openFilesBefore = Atomic<UInt64>(0)

    /// Raises the soft limit of open files to the hard one, for this process only; returns what it was and is
    /// (setrlimit(2)).
    @discardableResult
    public static func raiseOpenFiles() -> (before: UInt64, now: UInt64) {
        var limit = rlimit()
        guard getrlimit(openFilesResource, &limit) == 0 else { return (0, 0) }
        let before = UInt64(limit.rlim_cur)
        // macOS refuses "unlimited" here.
        limit.rlim_cur = min(limit.rlim_max, 1 << 20)
        guard limit.rlim_cur > before, setrlimit(openFilesResource, &limit) == 0 else { return (before, before) }
        _ = openFilesBefore.compareExchange(expected: 0, desired: before, ordering: .relaxed)
        return (before, UInt64(limit.rlim_cur))
    }

    /// Makes room in the kernel's table of this process's descriptors, to be called while it has one thread: with more,
    /// each doubling of the table waits ten milliseconds for every processor (expand_fdtable, synchronize_rcu). Where
    /// there is room, keeps the low numbers that make the start of a program quick.
    public static func reserveDescriptorTable() {
        for number: Int32 in [4095, 1023] {
            let copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, number)
            guard copy >= 0 else { continue }
            close(copy)
            cp_reserve_low_descriptors()
            return
        }
    }

    /// Orphaned descendants become children of this process, so that `ProcessTable` still finds them (prctl(2)), also
    /// when this process has run out of descriptors.
    /// - Returns: false where the system has no such thing.
    @discardableResult
    public static func becomeSubreaper() -> Bool {
        DescriptorReserve.forProcesses.keep()
        return cp_become_subreaper() >= 0
    }
}

private func leave(_ code: Int32) -> Never { exit(code) }

#if canImport(Glibc)
    let openFilesResource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    let processesResource = __rlimit_resource_t(__RLIMIT_NPROC.rawValue)
    private func environmentPointer() -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? { Glibc.environ }
#else
    let openFilesResource = RLIMIT_NOFILE
    let processesResource = RLIMIT_NPROC
    private func environmentPointer() -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? { Darwin.environ }
#endif

/// The three descriptors that every process has.
public enum StandardStream: Int32, Sendable {
    case input, output, error

    /// Whether a person is at the other end.
    public var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Reads what is there (poll(2), read(2)). The stream itself stays blocking: other programs share it.
    public func readNow(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> ReadResult {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        guard try retrying({ poll(&entry, 1, 0) }) > 0 else { return .wouldBlock }
        return try withDescriptor { (descriptor) throws(Errno) in try Kernel.real.read(descriptor, into: buffer) }
    }

    /// Writes all of it, waiting where it must.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        try withDescriptor { (descriptor) throws(Errno) in try Kernel.real.writeAll(descriptor, bytes) }
    }

    public func write(_ text: String) throws(Errno) {
        try withDescriptor { (descriptor) throws(Errno) in try Kernel.real.writeAll(descriptor, text) }
    }

    /// Lends the stream as a descriptor, which is not closed afterwards.
    public func withDescriptor<T>(_ body: (borrowing Descriptor) throws(Errno) -> T) throws(Errno) -> T {
        let view = Descriptor(owning: rawValue)
        let result: Result<T, Errno>
        do throws(Errno) { result = .success(try body(view)) } catch { result = .failure(error) }
        _ = view.release()
        return try result.get()
    }
}
