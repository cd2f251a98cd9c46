import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Changes of files and folders as events on a descriptor (inotify(7)).
public final class FileWatcher {
    public struct Event: Sendable, Equatable {
        /// The watch that `add` returned; nil when events were lost (`IN_Q_OVERFLOW`): look at everything again.
        public var watch: Int32?
        /// The name inside a watched folder; empty for the watched path itself.
        public var name: String
    }

    /// Non-blocking; readable when events wait.
    public let descriptor: Descriptor

    /// - Throws: `ENOSYS` where the system has no such thing, `EMFILE` when its limit is reached.
    public init() throws(Errno) {
        descriptor = Descriptor(owning: try checked(cp_inotify_create()))
    }

    /// Watches a file or a folder (not what is below its subfolders): content, creation, removal, renames.
    /// - Throws: `ENOSPC` when the user's limit of watches is reached.
    public func add(_ path: String) throws(Errno) -> Int32 {
        // IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF
        try checked(cp_inotify_add(descriptor.raw, path, 0x2 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800))
    }

    /// Takes what has arrived; never waits.
    public func drain(_ body: (Event) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 8) { buffer in
            while case .bytes(let count)? = try? Kernel.real.read(descriptor, into: buffer) {
                var offset = 0
                // struct inotify_event: wd, mask, cookie, len, name[len]
                while offset + 16 <= count {
                    let watch = buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self)
                    let mask = buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                    let length = Int(buffer.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                    let name = String(
                        decoding: buffer[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }, as: UTF8.self)
                    body(Event(watch: mask & 0x4000 != 0 ? nil : watch, name: name))
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
    var entry = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
    let end = timeout.map { Instant.now + $0 }
    while true {
        let left = end.map { Int32(clamping: max(($0 - .now).nanoseconds + 999_999, 0) / 1_000_000) } ?? -1
        let ready = poll(&entry, 1, left)
        if ready > 0 { return true }
        if ready == 0 || Errno.last != .interrupted { return false }
    }
}
