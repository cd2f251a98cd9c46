/// Text for a terminal that is being watched: an unfinished line (a prompt) is shown as far as it goes, and goes on
/// where it stood unless another program wrote meanwhile. One that is written anew, as a progress bar is, takes the
/// place of what it said before.
final class LiveText {
    /// What takes the last row of an unfinished line away.
    static let beginningAnew: StaticString = "\r\u{1B}[K"

    private let formatter: TextFormatter
    private var open: Source?
    /// In which the open line goes on.
    private var color: [UInt8] = []
    /// The open line's last byte was a carriage return.
    private var isReturned = false

    private struct Source: Equatable {
        var service: Int
        var stream: LogStream
        var instance: Int
    }

    init(_ formatter: TextFormatter) {
        self.formatter = formatter
    }

    /// Appends a record as it came, whole line or piece.
    func write(_ record: LogRecord, service: Int, to out: OutputBytes) {
        let source = Source(service: service, stream: record.stream, instance: record.instance)
        let end = (record.payload.lastIndex { $0 != 0x0D } ?? -1) + 1
        let text = UnsafeRawBufferPointer(rebasing: record.payload[..<end])
        if record.mark.begins || open != source {
            closeLine(to: out)
            // The end of a line that another program's output cut in two, and that had nothing more to say.
            if !record.mark.begins && record.payload.isEmpty { return }
            formatter.writePrefix(LogLine(record, service: service), to: out)
        } else if !text.isEmpty, isReturned || text.contains(0x0D) {
            color = []
            out.append(Self.beginningAnew)
            formatter.writePrefix(LogLine(record, service: service), to: out)
        }
        if !record.payload.isEmpty { isReturned = text.count < record.payload.count }
        formatter.writeText(text, to: out, color: &color)
        open = source
        if !record.mark.hasMore { closeLine(to: out) }
    }

    /// Ends the line that is being shown, before anything else is.
    func closeLine(to out: OutputBytes) {
        if open != nil { out.append(0x0A) }
        open = nil
        color = []
        isReturned = false
    }
}
