import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells what changes in folders; not what is below their subfolders, which are added by themselves.
///
/// A folder that is added is told of from then on: whoever looks into it after that misses nothing. What changes
/// several times between two drains may be told once or several times.
public protocol FolderWatching: AnyObject {
    /// When there may be something to drain.
    var cue: FolderCue { get }
    /// - Throws: `ENOENT` or `ENOTDIR` where there is no such folder, `EACCES` where it can't be read, `ENOSPC` when the
    ///   user's limit of watches is reached.
    func add(_ path: String) throws(Errno) -> Int32
    func remove(_ watch: Int32)
    /// Takes what has arrived; never waits.
    func drain(_ body: (FileEvent) -> Void)
}

public enum FolderCue: Sendable, Equatable {
    /// This descriptor is readable.
    case readable(Int32)
    /// Nobody tells: it has to be looked again after this time.
    case after(Duration)
}

/// Something that has changed.
public struct FileEvent: Sendable, Equatable {
    /// The watch that `add` returned; nil when events were lost (`IN_Q_OVERFLOW`): look at everything again.
    public var watch: Int32?
    /// The name inside a watched folder; empty for the watched path itself.
    public var name: String
    public var kind: Kind
    /// Whether it is a folder that has appeared or disappeared.
    public var isFolder: Bool
    /// Whether it has just been made: a file that is written will be told of again once it is closed.
    public var isBegun: Bool

    public enum Kind: Sendable {
        case changed
        /// Made, or moved here.
        case appeared
        /// Removed, or moved away.
        case disappeared
        /// The watch is no more, as its folder.
        case ended
    }

    public init(
        watch: Int32?, name: String = "", kind: Kind = .changed, isFolder: Bool = false, isBegun: Bool = false
    ) {
        self.watch = watch
        self.name = name
        self.kind = kind
        self.isFolder = isFolder
        self.isBegun = isBegun
    }
}

/// Changes of files and folders as events on a descriptor (inotify(7)).
public final class FileWatcher: FolderWatching {
    /// Non-blocking; readable when events wait.
    public let descriptor: Descriptor
    private let kernel: Kernel

    /// - Throws: `ENOSYS` where the system has no such thing, `EMFILE` when its limit is reached.
    public init(kernel: Kernel = .real) throws(Errno) {
        _ = try kernel.limit(.watch)
        self.kernel = kernel
        descriptor = Descriptor(owning: try checked(cp_inotify_create()))
    }

    public var cue: FolderCue { .readable(descriptor.raw) }

    /// Watches a file or a folder: each write to a file, creation, removal, renames.
    /// - Throws: `ENOSPC` when the user's limit of watches is reached.
    public func addWrites(_ path: String) throws(Errno) -> Int32 { try add(path, Mask.modify | Mask.places) }

    /// Watches a folder: of files that are written it tells once they are closed, and when their times or permissions
    /// are set.
    public func add(_ path: String) throws(Errno) -> Int32 {
        try add(path, Mask.closeWrite | Mask.attributes | Mask.places | Mask.foldersOnly | Mask.noUnlinked)
    }

    private func add(_ path: String, _ mask: UInt32) throws(Errno) -> Int32 {
        _ = try kernel.limit(.watch)
        return try checked(cp_inotify_add(descriptor.raw, path, mask))
    }

    public func remove(_ watch: Int32) { _ = cp_inotify_remove(descriptor.raw, watch) }

    /// Of inotify(7).
    private enum Mask {
        static let modify: UInt32 = 0x2
        static let attributes: UInt32 = 0x4
        static let closeWrite: UInt32 = 0x8
        /// MOVED_FROM, MOVED_TO, CREATE, DELETE, DELETE_SELF, MOVE_SELF.
        static let places: UInt32 = 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800
        static let created: UInt32 = 0x100
        static let appeared: UInt32 = 0x80 | 0x100
        static let disappeared: UInt32 = 0x40 | 0x200
        static let overflow: UInt32 = 0x4000
        static let ignored: UInt32 = 0x8000
        static let foldersOnly: UInt32 = 0x0100_0000
        static let noUnlinked: UInt32 = 0x0400_0000
        static let isFolder: UInt32 = 0x4000_0000
    }

    private static func event(_ watch: Int32, _ mask: UInt32, _ name: String) -> FileEvent {
        if mask & Mask.overflow != 0 { return FileEvent(watch: nil) }
        let kind: FileEvent.Kind =
            if mask & Mask.ignored != 0 {
                .ended
            } else if mask & Mask.appeared != 0 {
                .appeared
            } else if mask & Mask.disappeared != 0 {
                .disappeared
            } else {
                .changed
            }
        let isFolder = mask & Mask.isFolder != 0
        return FileEvent(
            watch: watch, name: name, kind: kind, isFolder: isFolder, isBegun: !isFolder && mask & Mask.created != 0)
    }

    public func drain(_ body: (FileEvent) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 8) { buffer in
            while case .bytes(let count)? = try? Kernel.real.read(descriptor, into: buffer) {
                var offset = 0
                // struct inotify_event: wd, mask, cookie, len, name[len]
                while offset + 16 <= count {
                    let watch = buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self)
                    let mask = buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                    let length = Int(buffer.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                    let name = String(
                        decoding: buffer[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }, as: UTF8.self)
                    body(Self.event(watch, mask, name))
                    offset += 16 + length
                }
            }
        }
    }

    /// Waits until events are there or `timeout` has passed; for threads that may wait.
    /// - Returns: false on timeout.
    public func wait(timeout: Duration?) -> Bool {
        waitReadable(descriptor.raw, timeout: timeout)
    }
}

/// Waits until a descriptor is readable, at its end or broken; for threads that may wait.
/// - Returns: false when `timeout` has passed first.
public func waitReadable(_ raw: Int32, timeout: Duration? = nil) -> Bool {
    wait(for: POLLIN, raw, timeout)
}

extension StandardStream {
    /// Waits until whoever reads it takes something, or is gone: a terminal may be held up, a pipe full.
    /// - Returns: false when `timeout` has passed first.
    public func waitWritable(timeout: Duration) -> Bool { wait(for: POLLOUT, rawValue, timeout) }
}

private func wait(for event: Int32, _ raw: Int32, _ timeout: Duration?) -> Bool {
    var entry = pollfd(fd: raw, events: Int16(event), revents: 0)
    let end = timeout.map { Instant.now + $0 }
    while true {
        let left = end.map { Int32(clamping: max(($0 - .now).nanoseconds + 999_999, 0) / 1_000_000) } ?? -1
        let ready = poll(&entry, 1, left)
        if ready > 0 { return true }
        if ready == 0 || Errno.last != .interrupted { return false }
    }
}
