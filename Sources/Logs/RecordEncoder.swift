import Platform

/// Turns lines into records in one buffer, for every store of a mesh in turn; counts `seq`.
///
/// The header is a template: what a batch shares is written once, the two counters count up in place, in ASCII. A
/// record then costs two copies.
///
/// Life of a batch: `begin`, any number of `append` (the caller empties the buffer when `hasRoom` says no), `bytes`.
final class RecordEncoder {
    /// Enough for some thousand lines a write, and for eight records of the greatest length.
    static let capacity = 8 * RecordLayout.longest

    /// The number that the next record gets.
    private(set) var nextSeq: Int
    /// The number of the newest line of the service at hand.
    private(set) var line = 0
    /// Lines that have ended in the buffer.
    private(set) var count = 0
    /// The number of the first record in the buffer.
    private(set) var firstSeq = 0
    private var used = 0
    // Owned by this object, freed in `deinit`; `buffer` is nil while nothing is written for a while.
    private let header = UnsafeMutableRawPointer.allocate(byteCount: RecordLayout.header, alignment: 1)
    private var buffer: UnsafeMutableRawPointer?

    init(nextSeq: Int) {
        self.nextSeq = nextSeq
        header.initializeMemory(as: UInt8.self, repeating: 0x20, count: RecordLayout.header)
        writeDigits(nextSeq, RecordLayout.seqDigits, to: header)
    }

    deinit {
        header.deallocate()
        buffer?.deallocate()
    }

    /// The records written since `clear`.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer, count: used) }
    var isEmpty: Bool { used == 0 }

    /// Goes on behind a record that was stored earlier.
    func resume(behind newest: Int) {
        precondition(isEmpty)
        nextSeq = newest + 1
        writeDigits(nextSeq, RecordLayout.seqDigits, to: header)
    }

    /// Begins a run of records with the same source and time.
    /// - Parameter line: the number of the service's newest line so far.
    func begin(line: Int, time: WallTime, stream: LogStream, instance: Int) {
        self.line = line
        writeDigits(line, RecordLayout.lineDigits, to: header + RecordLayout.lineAt)
        time.write(to: header + RecordLayout.timeAt)
        header.storeBytes(of: stream.rawValue, toByteOffset: RecordLayout.streamAt, as: UInt8.self)
        writeDigits(instance, RecordLayout.instanceDigits, to: header + RecordLayout.instanceAt)
    }

    /// Whether a payload of `count` bytes fits without emptying the buffer first.
    @inline(__always)
    func hasRoom(for count: Int, limit: Int = capacity) -> Bool {
        used &+ count &+ (RecordLayout.header + 1) <= limit
    }

    /// Adds a record. `payload` has at most `LineSplitter.longest` bytes and no newline, and there is room for it.
    @inline(__always)
    func append(_ payload: UnsafeRawBufferPointer, _ mark: LineMark) {
        precondition(hasRoom(for: payload.count))
        let buffer = self.buffer ?? allocate()
        if used == 0 { firstSeq = nextSeq }
        if mark.begins {
            line &+= 1
            countUp(last: RecordLayout.lineAt + RecordLayout.lineDigits - 1)
        }
        header.storeBytes(of: mark.rawValue, toByteOffset: RecordLayout.markAt, as: UInt8.self)
        let out = buffer + used
        out.copyMemory(from: header, byteCount: RecordLayout.header)
        if let base = payload.baseAddress {
            (out + RecordLayout.header).copyMemory(from: base, byteCount: payload.count)
        }
        out.storeBytes(of: 0x0A, toByteOffset: RecordLayout.header &+ payload.count, as: UInt8.self)
        used &+= RecordLayout.header &+ payload.count &+ 1
        if !mark.hasMore { count &+= 1 }
        nextSeq &+= 1
        countUp(last: RecordLayout.seqDigits - 1)
    }

    /// Forgets the records: they have been written, or are lost.
    func clear() {
        used = 0
        count = 0
    }

    /// Gives the memory back until the next `append`.
    func release() {
        precondition(isEmpty)
        buffer?.deallocate()
        buffer = nil
    }

    private func allocate() -> UnsafeMutableRawPointer {
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: Self.capacity, alignment: 16)
        buffer = fresh
        return fresh
    }

    /// Adds one to the decimal number in the header whose last digit is at `last`.
    @inline(__always)
    private func countUp(last: Int) {
        var at = last
        while true {
            let digit = header.load(fromByteOffset: at, as: UInt8.self)
            if digit != 0x39 {
                header.storeBytes(of: digit &+ 1, toByteOffset: at, as: UInt8.self)
                return
            }
            header.storeBytes(of: 0x30, toByteOffset: at, as: UInt8.self)
            // All nines would need ten to the twelfth lines; the separator before the number stops the carry.
            if at == 0 || header.load(fromByteOffset: at - 1, as: UInt8.self) == 0x20 { return }
            at &-= 1
        }
    }
}
