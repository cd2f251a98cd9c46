#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An owned file descriptor: closed when it goes out of scope, never twice.
public struct Descriptor: ~Copyable, Sendable {
    /// The number; valid for as long as this value lives.
    public let raw: Int32

    /// Takes ownership of `raw`, which nothing else may close.
    public init(owning raw: Int32) { self.raw = raw }

    /// Gives up ownership: the caller closes what is returned.
    public consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    /// Closes now rather than at the end of the scope.
    public consuming func close() {}

    // EINTR leaves the descriptor closed on Linux (close(2)): never tried again.
    deinit { _ = closeDescriptor(raw) }
}

private func closeDescriptor(_ raw: Int32) -> Int32 { close(raw) }

/// The read end and the write end of a pipe(2).
@frozen public struct Pipe: ~Copyable {
    public var reader: Descriptor
    public var writer: Descriptor

    public init(reader: consuming Descriptor, writer: consuming Descriptor) {
        self.reader = reader
        self.writer = writer
    }
}
