/// Bytes that wait to be sent, first in, first out. Its memory is given back when it is empty.
public struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    public init() {}

    public var count: Int { bytes.count - start }
    public var isEmpty: Bool { start == bytes.count }

    public mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }
    public mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    public func withBytes<T>(_ body: (UnsafeRawBufferPointer) -> T) -> T {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    public mutating func removeFirst(_ count: Int) {
        start += count
        if start == bytes.count {
            removeAll()
        } else if start >= 65536, start * 2 > bytes.count {
            // Each byte is moved at most once for each byte sent.
            bytes.removeFirst(start)
            start = 0
        }
    }

    public mutating func removeAll() {
        bytes = []
        start = 0
    }
}
