import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How to open a file (open(2)).
public enum OpenMode: Sendable {
    case read
    /// Created if missing.
    case append
    /// Created if missing, else emptied.
    case truncate
    /// Created; an existing one is an error (`.exists`).
    case createNew
    /// Created if missing, read and written, for lock files.
    case readWrite
    /// One that is there, as the kernel's own are.
    case write

    var flags: Int32 {
        switch self {
        case .read: O_RDONLY
        case .append: O_WRONLY | O_CREAT | O_APPEND
        case .truncate: O_WRONLY | O_CREAT | O_TRUNC
        case .createNew: O_WRONLY | O_CREAT | O_EXCL
        case .readWrite: O_RDWR | O_CREAT
        case .write: O_WRONLY
        }
    }
}

public struct FileStatus: Sendable, Equatable {
    public enum Kind: Sendable { case file, directory, other }
    public var kind: Kind
    /// Bytes.
    public var size: Int
    /// Permission bits.
    public var mode: UInt32
    public var inode: UInt64
    /// How many names it has.
    public var links: Int
    public var owner: UInt32
    /// When its contents were last written, in nanoseconds since 1970.
    public var modified: Int64
    /// When that, its name, its owner or its permissions were changed: a clock that no program sets.
    public var changed: Int64
    public var isExecutable: Bool { mode & 0o111 != 0 }
}

extension Kernel {
    public func open(_ path: String, _ mode: OpenMode, permissions: UInt32 = 0o600) throws(Errno) -> Descriptor {
        _ = try limit(.open)
        return Descriptor(owning: try checked(cp_open(path, mode.flags, permissions)))
    }

    /// Reads a whole file.
    public func readFile(_ path: String) throws(Errno) -> [UInt8] {
        let file = try open(path, .read)
        let raw = file.raw
        var status = stat()
        _ = try retrying { fstat(raw, &status) }
        if status.st_mode & S_IFMT == S_IFDIR { throw .isDirectory }
        // Files in /proc say a size of 0: read to the end whatever the size said.
        return try readToEnd(file, expecting: max(Int(status.st_size), 0))
    }

    /// Reads all that comes, waiting where the descriptor blocks.
    public func readToEnd(_ descriptor: borrowing Descriptor, expecting size: Int = 0) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 1)
        defer { buffer.deallocate() }
        // The kernel allocates as much as is asked for before it tells a number in /proc/sys.
        var room = min(max(size + 1, 4096), buffer.count)
        while case .bytes(let count) = try read(descriptor, into: .init(rebasing: buffer[..<room])) {
            bytes.append(contentsOf: buffer[..<count])
            if count == room { room = min(room * 2, buffer.count) }
        }
        return bytes
    }

    /// Does what needs a folder; where that is missing, makes it and tries again.
    public func makingFolder<T: ~Copyable>(_ folder: String, _ body: () throws(Errno) -> T) throws(Errno) -> T {
        do throws(Errno) { return try body() } catch {
            guard error == .noEntry else { throw error }
            try makeDirectory(folder)
            return try body()
        }
    }

    /// Replaces a file so that readers, and a crash at any moment, find the old or the new content, never a part of it.
    /// One writer at a time: what is written beside has always the same name, so that a crash leaves no more than one
    /// of these, which the next writer takes away. It is made anew, never followed: a link of that name may be anyone's.
    ///
    /// - Parameter isDurable: whether it outlives a crash of the machine, too; then it waits for the disk.
    public func replaceFile(
        _ path: String, with bytes: [UInt8], permissions: UInt32 = 0o600, isDurable: Bool = true
    ) throws(Errno) {
        var beside = path + ".new"
        if unlink(beside) != 0, Errno.last != .noEntry { beside += "-\(UInt64.random(in: 0 ... .max))" }
        do throws(Errno) {
            let file = try open(beside, .createNew, permissions: permissions)
            var failure: Errno?
            bytes.withUnsafeBytes { buffer in
                do throws(Errno) { try self.writeAll(file, buffer) } catch { failure = error }
            }
            if let failure { throw failure }
            if isDurable { try sync(file) }
            try rename(beside, to: path)
        } catch {
            unlink(beside)
            throw error
        }
        guard isDurable else { return }
        // The name itself is durable only once its folder is (fsync(2)); a file system that can't is no error.
        if let folder = try? open(Path.parent(path), .read) { _ = fsync(folder.raw) }
    }

    /// fsync(2).
    public func sync(_ descriptor: borrowing Descriptor) throws(Errno) {
        _ = try limit(.sync)
        let raw = descriptor.raw
        _ = try retrying { fsync(raw) }
    }

    /// Nil where nothing is at `path`.
    public func status(_ path: String) -> FileStatus? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return FileStatus(status)
    }

    /// Of a link itself rather than of what it leads to (lstat(2)).
    public func linkStatus(_ path: String) -> FileStatus? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return FileStatus(status)
    }

    public func status(_ descriptor: borrowing Descriptor) -> FileStatus? {
        var status = stat()
        guard fstat(descriptor.raw, &status) == 0 else { return nil }
        return FileStatus(status)
    }

    /// Why this process may not make files in a folder (access(2)); nil where it may.
    public func refusal(toWriteIn folder: String) -> Errno? { refusal(folder, W_OK | X_OK) }

    /// The same of a file.
    func refusal(toWrite file: String) -> Errno? { refusal(file, W_OK) }

    private func refusal(_ path: String, _ mode: Int32) -> Errno? {
        do throws(Errno) { _ = try limit(.access) } catch { return error }
        return access(path, mode) == 0 ? nil : Errno.last
    }

    /// Bytes that this user may still write to the disk of a file or folder (statvfs(3)); nil where it does not say.
    public func freeSpace(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0, status.f_blocks > 0 else { return nil }
        // Some that know no end report more than there can be.
        let (free, overflows) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        return overflows ? .max : free
    }

    /// Makes a folder and those above it; an existing one is left as it is.
    public func makeDirectory(_ path: String, permissions: UInt32 = 0o700) throws(Errno) {
        if mkdir(path, mode_t(permissions)) == 0 { return }
        switch Errno.last {
        case .exists where status(path)?.kind == .directory: return
        case .noEntry where Path.parent(path) != path:
            try makeDirectory(Path.parent(path), permissions: permissions)
            if mkdir(path, mode_t(permissions)) != 0, Errno.last != .exists { throw Errno.last }
        case let error: throw error
        }
    }

    public func setPermissions(_ path: String, _ permissions: UInt32) throws(Errno) {
        _ = try retrying { chmod(path, mode_t(permissions)) }
    }

    /// Removes a file; one that is not there is no error.
    public func remove(_ path: String) throws(Errno) {
        if unlink(path) != 0, Errno.last != .noEntry { throw Errno.last }
    }

    /// Removes a folder with all that is in it, not following links.
    public func removeTree(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in (try? list(path)) ?? [] { removeTree(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    public func rename(_ from: String, to: String) throws(Errno) {
        _ = try limit(.rename)
        _ = try retrying { renameFile(from, to) }
    }

    /// Makes a symbolic link at `path` that points to `target` (symlink(2)).
    public func link(_ target: String, at path: String) throws(Errno) {
        _ = try retrying { symlink(target, path) }
    }

    /// Where a symbolic link points to, as it says; nil where there is none (readlink(2)).
    public func linkTarget(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink(path, buffer.baseAddress!, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
        }
    }

    /// The names in a folder, sorted, without `.` and `..`.
    public func list(_ path: String) throws(Errno) -> [String] { try entries(path).map(\.name).sorted() }

    /// What is in a folder, in no order, without `.` and `..`; links count as what they are.
    public func entries(_ path: String) throws(Errno) -> [(name: String, isFolder: Bool)] {
        guard let folder = opendir(path) else { throw Errno.last }
        defer { closedir(folder) }
        var entries: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            // Some file systems don't say.
            let isUnknown = Int(entry.pointee.d_type) == Int(DT_UNKNOWN)
            let isFolder =
                isUnknown
                ? linkStatus(Path.join(path, name))?.kind == .directory : Int(entry.pointee.d_type) == Int(DT_DIR)
            entries.append((name, isFolder))
        }
        return entries
    }

    /// The absolute path without links, `.` and `..` (realpath(3)).
    public func realPath(_ path: String) throws(Errno) -> String {
        guard let resolved = realpath(path, nil) else { throw Errno.last }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Whether the exclusive lock on an open file could be taken (flock(2)); it is held until the file is closed.
    public func tryLock(_ descriptor: borrowing Descriptor) throws(Errno) -> Bool {
        let raw = descriptor.raw
        do throws(Errno) {
            _ = try retrying { flock(raw, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error == .again { return false }
            throw error
        }
    }

    /// Waits for the exclusive lock; for threads that may wait.
    public func lock(_ descriptor: borrowing Descriptor) throws(Errno) {
        let raw = descriptor.raw
        _ = try retrying { flock(raw, LOCK_EX) }
    }

    /// Moves the position of an open file, in bytes from its beginning, and returns it (lseek(2)).
    @discardableResult
    public func seek(_ descriptor: borrowing Descriptor, to offset: Int) throws(Errno) -> Int {
        let raw = descriptor.raw
        return Int(try retrying { lseek(raw, off_t(offset), SEEK_SET) })
    }

    /// Reads at an offset, leaving the position alone (pread(2)).
    public func read(_ descriptor: borrowing Descriptor, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(Errno) -> ReadResult
    {
        let room = try limit(.read, buffer.count)
        let raw = descriptor.raw
        let count = try retrying { pread(raw, buffer.baseAddress, room, off_t(offset)) }
        return count == 0 ? .endOfFile : .bytes(count)
    }

    public func truncate(_ descriptor: borrowing Descriptor, to size: Int) throws(Errno) {
        let raw = descriptor.raw
        _ = try retrying { ftruncate(raw, off_t(size)) }
    }
}

private func renameFile(_ from: String, _ to: String) -> Int32 { rename(from, to) }

extension FileStatus {
    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        default: kind = .other
        }
        size = Int(status.st_size)
        mode = UInt32(status.st_mode) & 0o7777
        links = Int(status.st_nlink)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
        owner = UInt32(status.st_uid)
        #if os(Linux)
            let (modified, changed) = (status.st_mtim, status.st_ctim)
        #else
            let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
        #endif
        self.modified = Int64(modified.tv_sec) * 1_000_000_000 + Int64(modified.tv_nsec)
        self.changed = Int64(changed.tv_sec) * 1_000_000_000 + Int64(changed.tv_nsec)
    }
}

/// Paths as text, with no look at the file system.
public enum Path {
    /// The folder a path lies in: `/` for `/a`, `.` for `a`.
    public static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component.
    public static func name(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// Any name as one part of a path, which `name(ofPart:)` gives back: `/` and `%` are written as in a URL.
    public static func part(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: "/")) || name.utf8.contains(UInt8(ascii: "%")) else { return name }
        return name.replacing("%", with: "%25").replacing("/", with: "%2F")
    }

    public static func name(ofPart part: String) -> String {
        guard part.utf8.contains(UInt8(ascii: "%")) else { return part }
        return part.replacing("%2F", with: "/").replacing("%25", with: "%")
    }

    /// Whether a path is absolute and there is nothing in it to resolve.
    private static func isResolved(_ path: String) -> Bool {
        guard path.utf8.first == UInt8(ascii: "/") else { return false }
        // Of the part at hand, and how many of its bytes are dots.
        var (length, dots) = (0, 0)
        for byte in path.utf8.dropFirst() {
            if byte == UInt8(ascii: "/") {
                if length <= 2, length == dots { return false }
                (length, dots) = (0, 0)
            } else {
                length += 1
                if byte == UInt8(ascii: ".") { dots += 1 }
            }
        }
        return length > 2 || length > dots
    }

    /// `path` seen from `folder`, with `.`, `..` and double slashes resolved as text.
    public static func join(_ folder: String, _ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : folder + "/" + path
        if isResolved(whole) { return whole }
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !whole.hasPrefix("/") {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        return whole.hasPrefix("/") ? "/" + joined : (joined.isEmpty ? "." : joined)
    }
}
