import Platform

/// Looks at merged output line by line, whichever tool merged it, for the fixture's lines of the services w1 to w9:
///
///     anything w2 anything | 17 xxxxxxx…
///
/// Each service's numbers must come one after another, and each line must have its length, else lines were lost, torn
/// or mixed. A line that doesn't end with `x` is the tool's own and is passed over.
struct LineCheck {
    /// Lines that were as they should be.
    private(set) var good = 0
    private(set) var faults = 0
    private(set) var firstFault: String?

    /// Bytes of a line as the fixture wrote it, with its end.
    private let length: Int
    private var next = [Int](repeating: 1, count: 10)
    private var rest: [UInt8] = []

    init(length: Int) { self.length = length }

    mutating func feed(_ bytes: [UInt8]) {
        rest += bytes
        let whole = rest
        var start = 0
        whole.withUnsafeBytes { whole in
            for at in whole.indices where whole[at] == UInt8(ascii: "\n") {
                judge(UnsafeRawBufferPointer(rebasing: whole[start..<at]))
                start = at + 1
            }
        }
        rest = Array(whole[start...])
    }

    private mutating func judge(_ line: UnsafeRawBufferPointer) {
        guard line.last == UInt8(ascii: "x") else { return }
        guard let bar = line.firstIndex(of: UInt8(ascii: "|")), let service = service(line[..<bar]),
            bar + 2 < line.count
        else { return fault(line) }
        let text = line[(bar + 2)...]
        let number = text.prefix { $0 >= 48 && $0 <= 57 }.reduce(0) { $0 * 10 + Int($1 - 48) }
        guard text.count == length - 1, number == next[service] else {
            next[service] = number + 1
            return fault(line)
        }
        next[service] += 1
        good += 1
    }

    private func service(_ prefix: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let letter = prefix.lastIndex(of: UInt8(ascii: "w")), prefix.index(after: letter) < prefix.endIndex else {
            return nil
        }
        let digit = Int(prefix[letter + 1]) - 48
        return next.indices.contains(digit) ? digit : nil
    }

    private mutating func fault(_ line: UnsafeRawBufferPointer) {
        faults += 1
        if firstFault == nil { firstFault = String(decoding: line.prefix(160), as: UTF8.self) }
    }
}
