#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The error number of a system call (errno(3)).
public struct Errno: Error, Sendable, Hashable, CustomStringConvertible {
    public let code: Int32

    public init(_ code: Int32) { self.code = code }

    /// What the last failing call of this thread left behind.
    static var last: Errno { Errno(errno) }

    public static let accessDenied = Errno(EACCES)
    public static let addressInUse = Errno(EADDRINUSE)
    public static let again = Errno(EAGAIN)
    public static let brokenPipe = Errno(EPIPE)
    public static let busy = Errno(EBUSY)
    public static let connectionRefused = Errno(ECONNREFUSED)
    public static let connectionReset = Errno(ECONNRESET)
    public static let exists = Errno(EEXIST)
    public static let addressNotAvailable = Errno(EADDRNOTAVAIL)
    public static let inProgress = Errno(EINPROGRESS)
    public static let interrupted = Errno(EINTR)
    public static let invalid = Errno(EINVAL)
    public static let isDirectory = Errno(EISDIR)
    public static let noEntry = Errno(ENOENT)
    public static let noExecFormat = Errno(ENOEXEC)
    public static let noMemory = Errno(ENOMEM)
    public static let noSpace = Errno(ENOSPC)
    public static let notDirectory = Errno(ENOTDIR)
    public static let notEmpty = Errno(ENOTEMPTY)
    public static let notImplemented = Errno(ENOSYS)
    public static let notPermitted = Errno(EPERM)
    public static let readOnlyFileSystem = Errno(EROFS)
    public static let timedOut = Errno(ETIMEDOUT)
    public static let tooManyOpenFiles = Errno(EMFILE)
    public static let tooManyOpenFilesInSystem = Errno(ENFILE)
    public static let connectionAborted = Errno(ECONNABORTED)

    /// The system's sentence, as `Address already in use`.
    public var description: String {
        guard let text = strerror(code) else { return "error \(code)" }
        return String(cString: text)
    }
}

/// The value of a CPlatform call, whose failures are negative error numbers.
func checked<T: SignedInteger>(_ result: T) throws(Errno) -> T {
    if result < 0 { throw Errno(Int32(-result)) }
    return result
}

/// Runs a call that reports failure by -1 and errno again while a signal interrupts it.
func retrying<T: SignedInteger>(_ call: () -> T) throws(Errno) -> T {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { throw Errno.last }
    }
}
