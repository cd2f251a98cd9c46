/// Bytes on their way out: grows as needed, is emptied by whoever writes it.
final class OutputBytes {
    private(set) var count = 0
    private var capacity: Int
    // Owned by this object, freed in `deinit`; the first `count` bytes are initialised.
    private var base: UnsafeMutableRawPointer

    init(capacity: Int = 16 << 10) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    @inline(__always)
    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
    }

    @inline(__always)
    func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    @inline(__always)
    func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inline(__always)
    func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func append(decimal value: Int) {
        var text = String(value)
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Forgets what is behind the first `count` bytes.
    func shorten(to count: Int) { self.count = min(self.count, count) }

    /// Forgets all, and gives memory back after an unusually long line.
    func clear() {
        count = 0
        guard capacity > 1 << 20 else { return }
        base.deallocate()
        capacity = 16 << 10
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    @inline(__always)
    private func reserve(_ more: Int) {
        if count &+ more > capacity { grow(to: count + more) }
    }

    private func grow(to needed: Int) {
        let wanted = max(needed, capacity * 2)
        let bigger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        bigger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = bigger
        capacity = wanted
    }
}
