import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Memory that a process made by `Guardian.split` shares, and that is there after its end.
public final class SharedMemory: @unchecked Sendable {
    // Never moved; who may touch what is up to its users, one of whom reads only when the other is dead.
    public let bytes: UnsafeMutableRawBufferPointer

    /// - Parameter size: bytes; those never touched take no room.
    public init(size: Int) throws(Errno) {
        guard let base = cp_shared_memory(size) else { throw .noMemory }
        bytes = UnsafeMutableRawBufferPointer(start: base, count: size)
    }

    deinit { munmap(bytes.baseAddress!, bytes.count) }

    /// Stores a word after all that was stored before it, whatever the compiler would prefer.
    @inline(__always)
    public static func publish(_ value: UInt64, at place: UnsafeMutablePointer<UInt64>) { cp_publish(place, value) }
}
