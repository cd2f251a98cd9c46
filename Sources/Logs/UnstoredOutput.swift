import Platform
import Synchronization

/// What the log thread has read from pipes and not stored yet, in memory that outlives a SIGKILL of its process, so
/// that `LogRescue` can store it then.
///
///     turn      which pipe is read, where its store stood, how much was read: valid while number > stored
///     scratch   the bytes read in this turn
///     slots     a pipe each: whose it is, and the beginning of a line whose end has not come
///
/// A turn is open from before its read(2) until what it read is in the store; one word closes it. Whoever finds it open
/// takes the store back to where it stood and repeats the turn. Each slot holds its unfinished line twice, written by
/// turns: the one of an open turn does not count.
public final class UnstoredOutput: @unchecked Sendable {
    // A slot is written by whoever got it from `places`, all else by the log thread; read by a process that goes on
    // when theirs is dead.

    /// 256 KiB for one read; all zero between turns, so that the end of a read whose length nobody got to hear is seen.
    static let scratchSize = 256 << 10
    /// Pipes beyond so many are not rescued; the smaller numbers are for systems that grant no more (limits.conf(5)).
    private static let capacities = [2048, 256, 32]
    /// Names that are longer are not kept, nor what belongs to them.
    static let longestName = 176

    struct Turn {
        /// The last turn whose bytes are stored.
        var stored: UInt64
        /// The turn that is under way.
        var number: UInt64
        var slot: Int32
        var count: Int32
        /// The number of the next record, and the size of its service's newest segment, before the turn.
        var nextSeq: Int64
        var size: Int64
        /// When it was read, in microseconds; 0 before.
        var time: Int64
    }

    /// The state of a line after a turn.
    struct Line {
        var turn: UInt64
        var count: Int32
        var isInside: Bool
    }

    struct Slot {
        /// 0: free.
        var inode: UInt64
        var raw: Int32
        var instance: Int32
        var lines: (Line, Line)
        var stream: UInt8
        var nameCount: UInt8
        /// The name follows.
    }

    private static let slotSize = 256
    private static let turnSize = 4096
    private static let heldSize = LineSplitter.longest

    private let memory: SharedMemory
    private let turn: UnsafeMutablePointer<Turn>
    private let capacity: Int
    private let places = Mutex(Places())

    private struct Places {
        var free: [Int] = []
        var used = 0
        /// Of pipes that the log thread does not have yet.
        var expected: [Int32: Int] = [:]
    }

    public init() throws(Errno) {
        let found = Self.capacities.lazy.compactMap { capacity in
            let size = Self.turnSize + Self.scratchSize + capacity * (Self.slotSize + 2 * Self.heldSize)
            return (try? SharedMemory(size: size)).map { (memory: $0, capacity: capacity) }
        }.first
        guard let found else { throw .noMemory }
        (memory, capacity) = (found.memory, found.capacity)
        turn = memory.bytes.baseAddress!.bindMemory(to: Turn.self, capacity: 1)
    }

    /// For one read at a time.
    var scratch: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: memory.bytes.baseAddress! + Self.turnSize, count: Self.scratchSize)
    }

    private func slot(_ index: Int) -> UnsafeMutablePointer<Slot> {
        (memory.bytes.baseAddress! + Self.turnSize + Self.scratchSize + index * Self.slotSize)
            .assumingMemoryBound(to: Slot.self)
    }

    private func name(_ index: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(slot(index)) + (Self.slotSize - Self.longestName)
    }

    private func held(_ index: Int, _ which: Int) -> UnsafeMutableRawPointer {
        memory.bytes.baseAddress! + Self.turnSize + Self.scratchSize + capacity * Self.slotSize
            + (index * 2 + which) * Self.heldSize
    }

    // MARK: The side of those that read

    /// Notes a pipe that is about to be read, on whatever thread.
    func expect(_ raw: Int32, service: String, _ stream: LogStream, instance: Int) {
        guard let index = add(raw, service: service, stream, instance: instance) else { return }
        places.withLock { $0.expected[raw] = index }
    }

    /// Notes a pipe that is read from now on, on the log thread; nil where there is no room, which the calls below take
    /// as well.
    func add(_ raw: Int32, service: String, _ stream: LogStream, instance: Int) -> Int? {
        let bytes = Array(service.utf8)
        let inode = Kernel.real.pipeInode(ofRaw: raw)
        guard bytes.count <= Self.longestName, inode != 0 else { return nil }
        let expected = places.withLock { $0.expected.removeValue(forKey: raw) }
        if let expected, slot(expected).pointee.inode == inode { return expected }
        // One that was expected and never came has left its place: its number is another pipe's by now.
        guard let index = expected ?? places.withLock({ take(&$0) }) else { return nil }
        let slot = slot(index)
        let empty = Line(turn: 0, count: 0, isInside: false)
        slot.pointee = Slot(
            inode: 0, raw: raw, instance: Int32(clamping: instance), lines: (empty, empty),
            stream: stream.rawValue, nameCount: UInt8(bytes.count))
        name(index).copyMemory(from: bytes, byteCount: bytes.count)
        SharedMemory.publish(inode, at: inodePlace(slot))
        return index
    }

    /// Forgets a pipe; to be called before it is closed.
    func remove(_ index: Int?) {
        guard let index else { return }
        SharedMemory.publish(0, at: inodePlace(slot(index)))
        places.withLock { $0.free.append(index) }
    }

    private func take(_ places: inout Places) -> Int? {
        if let index = places.free.popLast() { return index }
        guard places.used < capacity else { return nil }
        places.used += 1
        return places.used - 1
    }

    private func inodePlace(_ slot: UnsafeMutablePointer<Slot>) -> UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(slot).assumingMemoryBound(to: UInt64.self)
    }

    /// Opens a turn, before anything is read.
    func begin(_ index: Int?, nextSeq: Int, size: Int) {
        guard let index else { return }
        turn.pointee.slot = Int32(index)
        turn.pointee.count = 0
        turn.pointee.time = 0
        turn.pointee.nextSeq = Int64(nextSeq)
        turn.pointee.size = Int64(size)
        SharedMemory.publish(turn.pointee.stored &+ 1, at: UnsafeMutableRawPointer(turn).assumingNumber)
    }

    /// Says how much was read.
    func took(_ count: Int, at time: WallTime) {
        turn.pointee.count = Int32(count)
        turn.pointee.time = time.microseconds
    }

    /// Nothing was read or stored.
    func cancel() { SharedMemory.publish(0, at: UnsafeMutableRawPointer(turn).assumingNumber) }

    /// What was read is stored but for the unfinished line of `splitter`.
    func commit(_ index: Int?, _ splitter: LineSplitter, read count: Int) {
        if let index {
            let slot = slot(index)
            let next = turn.pointee.stored &+ 1
            let which = slot.pointee.lines.0.turn <= slot.pointee.lines.1.turn ? 0 : 1
            let length = splitter.withHeld { bytes in
                if let base = bytes.baseAddress { held(index, which).copyMemory(from: base, byteCount: bytes.count) }
                return bytes.count
            }
            let line = Line(turn: next, count: Int32(length), isInside: splitter.isInside)
            if which == 0 { slot.pointee.lines.0 = line } else { slot.pointee.lines.1 = line }
            SharedMemory.publish(next, at: UnsafeMutableRawPointer(turn).assumingMemoryBound(to: UInt64.self))
        }
        if count > 0 { scratch.baseAddress!.initializeMemory(as: UInt8.self, repeating: 0, count: count) }
    }

    // MARK: The other side

    /// A pipe as its reader left it.
    struct Remains {
        var service: String
        var stream: LogStream
        var instance: Int
        var raw: Int32
        var inode: UInt64
        var splitter: LineSplitter
        /// What was read in the turn that was cut off.
        var unstored: OpenTurn?
    }

    struct OpenTurn {
        var bytes: UnsafeRawBufferPointer
        var nextSeq: Int
        var size: Int
        /// Nil where the reader did not get to it.
        var time: WallTime?
    }

    /// What there is of every pipe; for whoever goes on after the log thread's end.
    func remains() -> [Remains] {
        let turn = turn.pointee
        return (0..<capacity).compactMap { index in
            let slot = slot(index).pointee
            guard slot.inode != 0, let stream = LogStream(rawValue: slot.stream) else { return nil }
            let name = UnsafeRawBufferPointer(start: name(index), count: Int(slot.nameCount))
            let lines = [slot.lines.0, slot.lines.1].enumerated().filter { $0.element.turn <= turn.stored }
            let line = lines.max { $0.element.turn < $1.element.turn }
            let splitter = line.map { which, line in
                LineSplitter(
                    held: Array(UnsafeRawBufferPointer(start: held(index, which), count: Int(line.count))),
                    isInside: line.isInside)
            }
            var remains = Remains(
                service: String(decoding: name, as: UTF8.self), stream: stream, instance: Int(slot.instance),
                raw: slot.raw, inode: slot.inode, splitter: splitter ?? LineSplitter())
            if turn.number == turn.stored &+ 1, Int(turn.slot) == index { remains.unstored = open(turn) }
            return remains
        }
    }

    private func open(_ turn: Turn) -> OpenTurn {
        // Killed on its way out of read(2), it left the bytes without their number.
        let count = turn.count > 0 ? Int(turn.count) : (scratch.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)
        return OpenTurn(
            bytes: UnsafeRawBufferPointer(rebasing: scratch[..<count]), nextSeq: Int(turn.nextSeq),
            size: Int(turn.size), time: turn.time == 0 ? nil : WallTime(microseconds: turn.time))
    }
}

extension UnsafeMutableRawPointer {
    /// Of a `Turn`: its `number`.
    fileprivate var assumingNumber: UnsafeMutablePointer<UInt64> {
        (self + MemoryLayout<UnstoredOutput.Turn>.offset(of: \.number)!).assumingMemoryBound(to: UInt64.self)
    }
}
