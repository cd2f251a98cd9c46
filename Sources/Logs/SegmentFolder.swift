import Platform

/// One file of a service's store, named by the `seq` of its first record: `00000000000042.log`.
struct Segment: Equatable {
    var firstSeq: Int
    /// Bytes, when it was looked at.
    var size: Int

    static let suffix = ".log"

    var name: String {
        let digits = String(firstSeq)
        return String(repeating: "0", count: max(0, RecordLayout.seqDigits - digits.utf8.count)) + digits + Self.suffix
    }

    /// The number in a segment's name, or nil for any other file.
    static func firstSeq(ofFile name: String) -> Int? {
        guard name.hasSuffix(suffix) else { return nil }
        let digits = name.dropLast(suffix.count)
        guard digits.utf8.count == RecordLayout.seqDigits, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(digits)
    }
}

/// The folder of one service's segments.
struct SegmentFolder {
    let path: String
    let kernel: Kernel

    init(path: String, kernel: Kernel) {
        self.path = path
        self.kernel = kernel
    }

    /// - Parameter root: the folder with a folder for each service.
    init(of service: String, in root: String, kernel: Kernel) {
        self.init(path: Path.join(root, Path.part(service)), kernel: kernel)
    }

    /// Oldest first; empty where there is no folder.
    func segments() -> [Segment] {
        let names = (try? kernel.list(path)) ?? []
        return names.compactMap { name in
            guard let seq = Segment.firstSeq(ofFile: name), let status = kernel.status(path + "/" + name),
                status.kind == .file
            else { return nil }
            return Segment(firstSeq: seq, size: status.size)
        }
    }

    func path(of segment: Segment) -> String { path + "/" + segment.name }

    func open(_ segment: Segment) -> Descriptor? {
        try? kernel.open(path(of: segment), .read)
    }

    /// The numbers of the newest record that is whole: `seq` and `line`; nil where there is none.
    func newest() -> (seq: Int, line: Int)? { newest(of: segments()) }

    func newest(of segments: [Segment]) -> (seq: Int, line: Int)? {
        for segment in segments.reversed() {
            guard let file = open(segment), let size = kernel.status(file)?.size else { continue }
            if let record = Tail(kernel, file, size: size).newest { return record }
        }
        return nil
    }
}

/// The end of a segment: its last whole record, and what is torn after it.
struct Tail {
    /// Nil where the file has no whole record.
    private(set) var newest: (seq: Int, line: Int)?
    /// Where the last newline ends: what comes after it is torn.
    private(set) var wholeBytes = 0
    /// The bytes after the last newline, as far as a record can reach.
    private(set) var torn: [UInt8] = []

    private static let smallStep = 4 << 10

    /// Reads backwards from `size` until a record is found: one read for an ordinary file.
    /// - Parameter look: called with the newest record while its bytes are there.
    init(
        _ kernel: Kernel, _ file: borrowing Descriptor, size: Int, look: (LogRecord) -> Void = { _ in }
    ) {
        var bytes: [UInt8] = []
        var start = size
        var sawNewline = false
        while start > 0 {
            let step = min(start, bytes.isEmpty ? Self.smallStep : max(bytes.count, RecordLayout.longest))
            bytes = read(kernel, file, at: start - step, count: step) + bytes
            start -= step
            bytes.withUnsafeBytes { buffer in
                guard let base = buffer.baseAddress else { return }
                var end = buffer.count
                while let newline = lastNewline(in: base, before: end) {
                    if !sawNewline {
                        sawNewline = true
                        wholeBytes = start + newline + 1
                        torn = Array(buffer[(newline + 1)...])
                    }
                    let before = lastNewline(in: base, before: newline)
                    guard before != nil || start == 0 else { return }
                    let from = before.map { $0 + 1 } ?? 0
                    if let record = LogRecord(UnsafeRawBufferPointer(rebasing: buffer[from..<newline])) {
                        newest = (record.seq, record.line)
                        look(record)
                        return
                    }
                    end = newline
                }
            }
            if newest != nil { return }
        }
        if !sawNewline { torn = bytes }
    }
}

/// Up to `count` bytes at `offset`; fewer at the end of the file or where it can't be read.
private func read(_ kernel: Kernel, _ file: borrowing Descriptor, at offset: Int, count: Int) -> [UInt8] {
    var done = 0
    var bytes = [UInt8](repeating: 0, count: count)
    while done < count {
        let got: Int? = bytes.withUnsafeMutableBytes { buffer in
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            guard case .bytes(let got)? = try? kernel.read(file, at: offset + done, into: rest) else { return nil }
            return got
        }
        guard let got else { break }
        done += got
    }
    return Array(bytes[..<done])
}
