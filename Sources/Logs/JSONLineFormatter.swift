/// Writes lines as JSON Lines, as contract §5 has them for `logs --json`. Written by hand: a tree of values for each
/// of millions of lines would be most of the work.
struct JSONLineFormatter {
    /// Names as JSON strings, and the instance's name up to its number.
    private var names: [[UInt8]]
    private var instances: [[UInt8]]

    init(names: [String]) {
        self.names = []
        instances = []
        for name in names { add(name) }
    }

    /// A service that came later; it gets the next number.
    mutating func add(_ name: String) {
        let out = OutputBytes(capacity: 128)
        var text = name
        text.withUTF8 { Self.writeString(UnsafeRawBufferPointer($0), to: out) }
        names.append(Array(out.bytes))
        instances.append(Array(out.bytes.dropLast()) + [0x2E])
    }

    /// Appends the line's object and a newline.
    func write(_ line: LogLine, to out: OutputBytes) {
        let isValid = isUTF8(line.text)
        out.append(#"{"seq":"# as StaticString)
        out.append(decimal: line.seq)
        out.append(#","time":""# as StaticString)
        out.append(milliseconds(line.time))
        out.append(#"Z","service":"# as StaticString)
        out.append(names[line.service])
        out.append(#","instance":"# as StaticString)
        if line.instance > 0 && (line.stream == .stdout || line.stream == .stderr) {
            out.append(instances[line.service])
            out.append(decimal: line.instance)
            out.append(0x22)
        } else {
            out.append("null" as StaticString)
        }
        switch line.stream {
        case .stdout: out.append(#","stream":"stdout","line":"# as StaticString)
        case .stderr: out.append(#","stream":"stderr","line":"# as StaticString)
        case .build: out.append(#","stream":"build","line":"# as StaticString)
        case .devmesh: out.append(#","stream":"devmesh","line":"# as StaticString)
        }
        Self.writeString(line.text, to: out)
        if !isValid {
            out.append(#","base64":""# as StaticString)
            Self.writeBase64(line.text, to: out)
            out.append(0x22)
        }
        if line.isPartial { out.append(#","partial":true"# as StaticString) }
        out.append("}\n" as StaticString)
    }

    /// Appends `text` as a JSON string (RFC 8259 §7); bytes that are not UTF-8 become U+FFFD. DEL and C1 controls
    /// are escaped too: the reader may be a terminal.
    private static func writeString(_ text: UnsafeRawBufferPointer, to out: OutputBytes) {
        out.append(0x22)
        var from = 0
        var at = 0
        while at < text.count {
            let byte = text[at]
            if byte >= 0x20 && byte != 0x22 && byte != 0x5C && byte < 0x7F {
                at &+= 1
                continue
            }
            var length = 1
            if byte >= 0x80 {
                switch utf8Step(text, at: at) {
                case .character(let count):
                    guard byte == 0xC2 && text[at + 1] < 0xA0 else {
                        at += count
                        continue
                    }
                    length = count
                case .invalid(let count): length = count
                }
            }
            if at > from { out.append(UnsafeRawBufferPointer(rebasing: text[from..<at])) }
            writeEscape(text, at, length, to: out)
            at += length
            from = at
        }
        if at > from { out.append(UnsafeRawBufferPointer(rebasing: text[from..<at])) }
        out.append(0x22)
    }

    private static func writeEscape(
        _ text: UnsafeRawBufferPointer, _ at: Int, _ length: Int, to out: OutputBytes
    ) {
        // A C1 control's second byte is its code.
        let isC1 = length == 2 && text[at] == 0xC2
        switch isC1 ? text[at + 1] : text[at] {
        case 0x22: out.append(#"\""# as StaticString)
        case 0x5C: out.append(#"\\"# as StaticString)
        case 0x09: out.append(#"\t"# as StaticString)
        case 0x0A: out.append(#"\n"# as StaticString)
        case 0x0D: out.append(#"\r"# as StaticString)
        case 0x80... where !isC1: out.append("\u{FFFD}" as StaticString)
        case let byte:
            out.append(#"\u00"# as StaticString)
            out.append(hexDigits[Int(byte >> 4)])
            out.append(hexDigits[Int(byte & 15)])
        }
    }

    /// Appends `bytes` in base64 with padding (RFC 4648 §4).
    static func writeBase64(_ bytes: UnsafeRawBufferPointer, to out: OutputBytes) {
        var at = 0
        while at < bytes.count {
            let left = bytes.count - at
            let word =
                UInt32(bytes[at]) << 16 | (left > 1 ? UInt32(bytes[at + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[at + 2]) : 0)
            out.append(base64Digits[Int(word >> 18)])
            out.append(base64Digits[Int(word >> 12 & 63)])
            out.append(left > 1 ? base64Digits[Int(word >> 6 & 63)] : 0x3D)
            out.append(left > 2 ? base64Digits[Int(word & 63)] : 0x3D)
            at += 3
        }
    }
}

private let hexDigits = Array("0123456789abcdef".utf8)
private let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
