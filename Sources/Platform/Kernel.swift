import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The operating system's calls, in one place so that a test can make those fail that `FaultPlan` knows.
///
/// Would-block and end of file are results; only failures throw. `EINTR` is never seen outside.
public struct Kernel: Sendable {
    /// Nil outside of tests.
    public let faults: FaultPlan?

    public init(faults: FaultPlan? = nil) { self.faults = faults }

    public static let real = Kernel()

    /// How many bytes a call may move, or the error that a test asked for.
    func limit(_ call: FaultPlan.Call, _ count: Int = .max) throws(Errno) -> Int {
        guard let outcome = faults?.outcome(call) else { return count }
        switch outcome {
        case .fails(let error): throw error
        case .short(let bytes): return min(bytes, count)
        }
    }
}

public enum ReadResult: Sendable, Equatable {
    case bytes(Int)
    case wouldBlock
    case endOfFile

    init(_ moved: Int?) { self = moved.map { $0 == 0 ? .endOfFile : .bytes($0) } ?? .wouldBlock }
}

public enum WriteResult: Sendable, Equatable {
    case bytes(Int)
    case wouldBlock

    init(_ moved: Int?) { self = moved.map { .bytes($0) } ?? .wouldBlock }
}

extension Kernel {
    /// Reads what is there (read(2)); the buffer must not be empty.
    public func read(_ descriptor: borrowing Descriptor, into buffer: UnsafeMutableRawBufferPointer) throws(Errno)
        -> ReadResult
    {
        let raw = descriptor.raw
        return ReadResult(try moving(.read, buffer.count) { Platform.read(raw, buffer.baseAddress, $0) })
    }

    /// Writes what fits (write(2), for files and pipes). `EPIPE` is thrown; `SIGPIPE` must be ignored.
    public func write(_ descriptor: borrowing Descriptor, _ bytes: UnsafeRawBufferPointer) throws(Errno)
        -> WriteResult
    {
        let raw = descriptor.raw
        return WriteResult(try moving(.write, bytes.count) { Platform.write(raw, bytes.baseAddress, $0) })
    }

    /// Makes a call that moves bytes until nothing interrupts it.
    /// - Returns: what the call says; nil for would-block.
    @inline(__always)
    func moving(_ call: FaultPlan.Call, _ count: Int, _ body: (Int) -> Int) throws(Errno) -> Int? {
        while true {
            // Would-block is too common to be thrown even here.
            let error: Errno
            do throws(Errno) {
                let moved = body(try limit(call, count))
                if moved >= 0 { return moved }
                error = .last
            } catch let asked { error = asked }
            if error == .again { return nil }
            if error != .interrupted { throw error }
        }
    }

    /// Writes all of it, waiting where the descriptor blocks; for threads that may wait.
    public func writeAll(_ descriptor: borrowing Descriptor, _ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch try write(descriptor, UnsafeRawBufferPointer(rebasing: rest)) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try waitWritable(descriptor)
            }
        }
    }

    public func writeAll(_ descriptor: borrowing Descriptor, _ text: String) throws(Errno) {
        var failure: Errno?
        var copy = text
        copy.withUTF8 { bytes in
            do throws(Errno) { try self.writeAll(descriptor, UnsafeRawBufferPointer(bytes)) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func waitWritable(_ descriptor: borrowing Descriptor) throws(Errno) {
        var entry = pollfd(fd: descriptor.raw, events: Int16(POLLOUT), revents: 0)
        _ = try retrying { poll(&entry, 1, -1) }
    }

    /// A close-on-exec, blocking pipe.
    public func pipe() throws(Errno) -> Pipe {
        _ = try limit(.pipe)
        var ends: [Int32] = [0, 0]
        _ = try checked(cp_pipe(&ends))
        return Pipe(reader: Descriptor(owning: ends[0]), writer: Descriptor(owning: ends[1]))
    }

    public func setNonblocking(_ descriptor: borrowing Descriptor, _ on: Bool = true) throws(Errno) {
        _ = try checked(cp_set_nonblocking(descriptor.raw, on ? 1 : 0))
    }

    /// Asks for a larger pipe buffer; returns its size in bytes, or nil where the system won't (pipe(7)).
    @discardableResult
    public func setPipeSize(_ descriptor: borrowing Descriptor, _ bytes: Int) -> Int? {
        let size = cp_set_pipe_size(descriptor.raw, Int32(clamping: bytes))
        return size < 0 ? nil : Int(size)
    }

    /// Which pipe a descriptor, whoever owns it, is an end of, or which pseudo-terminal our side of; 0 for neither.
    public func pipeInode(ofRaw raw: Int32) -> UInt64 { cp_pipe_inode(raw) }

    /// Whether that is what `pipeInode` gave for a pseudo-terminal.
    public static func isTerminal(_ inode: UInt64) -> Bool { inode & UInt64(CP_TERMINAL) != 0 }

    /// What is set on an open descriptor, whoever owns it (fcntl(2)).
    public func flags(ofRaw raw: Int32) -> (closesOnExec: Bool, isNonblocking: Bool) {
        (fcntl(raw, F_GETFD) & FD_CLOEXEC != 0, fcntl(raw, F_GETFL) & O_NONBLOCK != 0)
    }

    /// A second descriptor of the same open file, close-on-exec.
    public func duplicate(_ descriptor: borrowing Descriptor) throws(Errno) -> Descriptor {
        let raw = descriptor.raw
        return Descriptor(owning: try retrying { fcntl(raw, F_DUPFD_CLOEXEC, 3) })
    }
}

// The C names are shadowed by the methods above.
func read(_ fd: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
        Glibc.read(fd, buffer, count)
    #else
        Darwin.read(fd, buffer, count)
    #endif
}

func write(_ fd: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
        Glibc.write(fd, buffer, count)
    #else
        Darwin.write(fd, buffer, count)
    #endif
}
