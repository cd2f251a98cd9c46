/// A line as a reader sees it: joined from its pieces, unless it is longer than `LineSplitter.longest`.
///
/// - Important: `time` and `text` point into a buffer of the reader and are valid only during the call that passes
///   the line on.
struct LogLine {
    /// Of its last piece: lines are passed on when they are complete.
    var seq: Int
    /// Of its first piece.
    var firstSeq: Int
    /// 27 bytes, RFC 3339 in UTC with microseconds.
    var time: UnsafeRawBufferPointer
    /// The place of the service in the list of names that the reader was given.
    var service: Int
    var stream: LogStream
    /// 0: none.
    var instance: Int
    var text: UnsafeRawBufferPointer
    /// A piece of a line that is too long, or has no end yet.
    var isPartial = false
    /// Whether a newline followed `text` in the program's output.
    var endsInNewline = true
}

/// How lines are to look.
public struct LogFormat: Sendable, Equatable {
    public enum Kind: Sendable { case text, json, raw }

    public var kind: Kind
    /// `-t`: each line begins with its time. Of text only, as all that follows.
    public var showsTimes: Bool
    public var showsPrefix: Bool
    /// Colours the prefix, and lets the programs' own colours pass on a terminal.
    public var usesColor: Bool
    /// The output is a terminal: escape sequences other than colour are taken out, and unfinished lines are shown.
    public var isTerminal: Bool

    public init(
        _ kind: Kind = .text, showsTimes: Bool = false, showsPrefix: Bool = true, usesColor: Bool = false,
        isTerminal: Bool = false
    ) {
        self.kind = kind
        self.showsTimes = showsTimes
        self.showsPrefix = showsPrefix
        self.usesColor = usesColor
        self.isTerminal = isTerminal
    }
}
