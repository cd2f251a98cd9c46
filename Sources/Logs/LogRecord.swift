/// Where a line came from.
public enum LogStream: UInt8, Sendable, CaseIterable {
    case stdout = 0x6F  // o
    case stderr = 0x65  // e
    case build = 0x62  // b
    case devmesh = 0x64  // d
}

/// What a record holds of its line: all of it, or one of several pieces.
///
/// A line comes in pieces when it is longer than `LineSplitter.longest`, or when the program paused in the middle of
/// it. A piece says whether it begins its line, so that a chain that a crash cut off never grows into the next line.
enum LineMark: UInt8, Sendable, CaseIterable {
    /// From its first byte to its newline.
    case whole = 0x2E  // .
    /// The beginning; more follows.
    case first = 0x2B  // +
    /// A continuation; more follows.
    case middle = 0x26  // &
    /// A continuation up to the newline.
    case last = 0x3B  // ;
    /// From its first byte to the end of the stream, which came before a newline.
    case cut = 0x7E  // ~
    /// A continuation up to the end of the stream.
    case lastCut = 0x5E  // ^

    var begins: Bool { self == .whole || self == .first || self == .cut }
    var hasMore: Bool { self == .first || self == .middle }
    var endsInNewline: Bool { self == .whole || self == .last }
}

/// One record of the store, a line of text that `grep` and `less` can read:
///
///     00000000000042 000000000007 2026-11-21T11:30:00.123456Z o 0001 . listening on 8080
///     seq            line         time                        │ │    │ payload up to the newline
///                                                        stream │    mark
///                                                         instance (0: none)
///
/// `seq` counts records over the whole mesh in the order of reading; `line` counts the lines that began in this
/// service, so that a reader can say how many a rotation took from it. The width is fixed, which lets readers search
/// by bisection.
enum RecordLayout {
    static let seqDigits = 14
    static let lineAt = 15
    static let lineDigits = 12
    static let timeAt = 28
    static let timeBytes = 27
    static let streamAt = 56
    static let instanceAt = 58
    static let instanceDigits = 4
    static let markAt = 63
    /// Bytes before the payload.
    static let header = 65
    /// The longest record with its newline.
    static let longest = header + LineSplitter.longest + 1
}

/// A record in a reader's buffer.
///
/// - Important: `time` and `payload` point into that buffer and are valid until the reader moves on.
struct LogRecord {
    var seq: Int
    var line: Int
    /// 27 bytes, RFC 3339 in UTC with microseconds.
    var time: UnsafeRawBufferPointer
    var stream: LogStream
    /// 0: none.
    var instance: Int
    var mark: LineMark
    var payload: UnsafeRawBufferPointer
}
