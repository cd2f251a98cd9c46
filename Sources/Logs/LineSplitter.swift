/// Cuts the bytes of one pipe into lines; pure, and in constant memory.
///
///     read(2) ──► feed ──► emit(bytes, mark)      lines whole in the input are handed on without a copy
///                  │
///                 held: the unfinished rest, at most `longest` bytes
///
/// Bytes come out exactly as they went in, less the newlines. A piece never ends inside a UTF-8 character
/// or an escape sequence that could still be completed.
struct LineSplitter {
    /// A line beyond this many bytes comes in pieces.
    static let longest = 64 << 10
    /// Or in pieces that are shorter by less than this, so that they end where they should.
    static let slack = 33
    /// A buffer up to this size is kept between lines; a bigger one is given back.
    private static let kept = 4 << 10

    typealias Emit = (UnsafeRawBufferPointer, LineMark) -> Void

    private var held: [UInt8]
    /// A piece of the current line has been handed out.
    private(set) var isInside: Bool

    /// Goes on where another has left off.
    init(held: [UInt8] = [], isInside: Bool = false) {
        self.held = held
        self.isInside = isInside
    }

    /// The beginning of a line that has not been handed out.
    func withHeld<T>(_ body: (UnsafeRawBufferPointer) -> T) -> T { held.withUnsafeBytes(body) }

    /// Whether there are bytes that `flushQuiet` might hand out.
    var holdsBytes: Bool { !held.isEmpty }
    /// Whether a line has begun and not ended.
    var isUnfinished: Bool { isInside || !held.isEmpty }
    /// Bytes of memory held between calls.
    var capacity: Int { held.capacity }

    /// Takes the next bytes of the stream; hands on every line that they complete.
    mutating func feed(_ input: UnsafeRawBufferPointer, _ emit: Emit) {
        guard let base = input.baseAddress else { return }
        var from = 0
        while let newline = firstNewline(in: base, from: from, to: input.count) {
            push(UnsafeRawBufferPointer(rebasing: input[from..<newline]), endsLine: true, emit)
            from = newline + 1
        }
        if from < input.count {
            push(UnsafeRawBufferPointer(rebasing: input[from...]), endsLine: false, emit)
        }
    }

    /// The program has paused: hands out what there is of an unfinished line.
    mutating func flushQuiet(_ emit: Emit) {
        let count = held.count - held.withUnsafeBytes { incompleteSuffix($0) }
        if count > 0 { emitHeld(count, emit) }
    }

    /// The stream has ended: hands out what there is as the end of its line.
    mutating func finish(_ emit: Emit) {
        guard isUnfinished else { return }
        held.withUnsafeBytes { emit($0, isInside ? .lastCut : .cut) }
        endLine()
    }

    /// Appends to the current line, handing out pieces as it grows too long.
    private mutating func push(_ input: UnsafeRawBufferPointer, endsLine: Bool, _ emit: Emit) {
        var rest = input
        while held.count + rest.count > Self.longest {
            if held.isEmpty {
                let count = Self.longest - incompleteSuffix(UnsafeRawBufferPointer(rebasing: rest[..<Self.longest]))
                emit(UnsafeRawBufferPointer(rebasing: rest[..<count]), isInside ? .middle : .first)
                isInside = true
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else {
                let room = Self.longest - held.count
                hold(UnsafeRawBufferPointer(rebasing: rest[..<room]))
                rest = UnsafeRawBufferPointer(rebasing: rest[room...])
                emitHeld(held.count - held.withUnsafeBytes { incompleteSuffix($0) }, emit)
            }
        }
        if !endsLine {
            hold(rest)
        } else if held.isEmpty {
            emit(rest, isInside ? .last : .whole)
            isInside = false
        } else {
            hold(rest)
            held.withUnsafeBytes { emit($0, isInside ? .last : .whole) }
            endLine()
        }
    }

    private mutating func hold(_ bytes: UnsafeRawBufferPointer) {
        if held.count + bytes.count > Self.kept { held.reserveCapacity(Self.longest) }
        held.append(contentsOf: bytes)
    }

    /// Hands out the first `count` held bytes as a piece with more to follow.
    private mutating func emitHeld(_ count: Int, _ emit: Emit) {
        held.withUnsafeBytes {
            emit(UnsafeRawBufferPointer(rebasing: $0[..<count]), isInside ? .middle : .first)
        }
        isInside = true
        held.removeFirst(count)
        // A copy through the bytes: `Array(held)` would share the big buffer.
        if held.capacity > Self.kept { held = held.withUnsafeBytes { Array($0) } }
    }

    private mutating func endLine() {
        held.removeAll(keepingCapacity: held.capacity <= Self.kept)
        isInside = false
    }
}

/// A line without the carriage return that a terminal puts before each newline.
func withoutReturn(_ line: UnsafeRawBufferPointer, _ mark: LineMark) -> UnsafeRawBufferPointer {
    mark.endsInNewline && line.last == 0x0D ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
}
