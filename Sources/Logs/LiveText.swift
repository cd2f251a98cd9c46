/// Text for a terminal that is being watched: an unfinished line (a prompt) is shown as far as it goes, and goes on
/// where it stood unless another program wrote meanwhile.
final class LiveText {
    private let formatter: TextFormatter
    private var open: Source?

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
        let goesOn = !record.mark.begins && open == source
        if !goesOn {
            closeLine(to: out)
            // The end of a line that another program's output cut in two, and that had nothing more to say.
            if !record.mark.begins && record.payload.isEmpty { return }
            formatter.writePrefix(LogLine(record, service: service), to: out)
        }
        formatter.writeText(record.payload, to: out)
        if record.mark.hasMore {
            open = source
        } else {
            open = nil
            out.append(0x0A)
        }
    }

    /// Ends the line that is being shown, before anything else is.
    func closeLine(to out: OutputBytes) {
        if open != nil { out.append(0x0A) }
        open = nil
    }
}
