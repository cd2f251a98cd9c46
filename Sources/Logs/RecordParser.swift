extension LogRecord {
    /// Reads the record that is `bytes` without its newline; nil for anything that is not one (torn or garbage).
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= RecordLayout.header, let base = bytes.baseAddress,
            let seq = decimal(base, RecordLayout.seqDigits),
            let line = decimal(base + RecordLayout.lineAt, RecordLayout.lineDigits),
            let instance = decimal(base + RecordLayout.instanceAt, RecordLayout.instanceDigits),
            let stream = LogStream(rawValue: bytes[RecordLayout.streamAt]),
            let mark = LineMark(rawValue: bytes[RecordLayout.markAt]),
            bytes[RecordLayout.seqDigits] == 0x20, bytes[RecordLayout.timeAt - 1] == 0x20,
            bytes[RecordLayout.streamAt - 1] == 0x20, bytes[RecordLayout.streamAt + 1] == 0x20,
            bytes[RecordLayout.markAt - 1] == 0x20, bytes[RecordLayout.markAt + 1] == 0x20,
            // Enough of the time that it sorts as one.
            bytes[RecordLayout.timeAt + 10] == 0x54, bytes[RecordLayout.timeAt + 26] == 0x5A
        else { return nil }
        self.seq = seq
        self.line = line
        self.instance = instance
        self.stream = stream
        self.mark = mark
        time = UnsafeRawBufferPointer(start: base + RecordLayout.timeAt, count: RecordLayout.timeBytes)
        payload = UnsafeRawBufferPointer(start: base + RecordLayout.header, count: bytes.count - RecordLayout.header)
    }
}

/// The value of exactly `digits` decimal digits, or nil.
@inline(__always)
private func decimal(_ base: UnsafeRawPointer, _ digits: Int) -> Int? {
    var value = 0
    var at = 0
    while at < digits {
        let digit = base.load(fromByteOffset: at, as: UInt8.self) &- 0x30
        if digit > 9 { return nil }
        value = value &* 10 &+ Int(digit)
        at &+= 1
    }
    return value
}
