/// A place in a text: both counted from 1, columns in Unicode scalars. A byte order mark does not count.
public struct TextPosition: Sendable, Equatable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// Finds line and column of byte offsets. It remembers the place of every 256th byte, so that a question costs
/// the same in a file of one long line.
struct LineMap {
    private static let stride = 256
    private let checkpoints: [TextPosition]

    init(_ bytes: [UInt8]) {
        var checkpoints: [TextPosition] = []
        checkpoints.reserveCapacity(bytes.count / Self.stride + 1)
        var position = TextPosition(line: 1, column: 1)
        for offset in Swift.stride(from: 0, through: bytes.count, by: Self.stride) {
            checkpoints.append(position)
            Self.advance(&position, over: bytes, offset..<min(offset + Self.stride, bytes.count))
        }
        self.checkpoints = checkpoints
    }

    /// - Parameter bytes: the same as at `init`.
    func position(at offset: Int, in bytes: [UInt8]) -> TextPosition {
        let offset = min(offset, bytes.count)
        var position = checkpoints[offset / Self.stride]
        Self.advance(&position, over: bytes, (offset / Self.stride * Self.stride)..<offset)
        return position
    }

    /// For the one question after which nobody asks again.
    static func position(at offset: Int, in bytes: [UInt8]) -> TextPosition {
        var position = TextPosition(line: 1, column: 1)
        advance(&position, over: bytes, 0..<min(offset, bytes.count))
        return position
    }

    private static func advance(_ position: inout TextPosition, over bytes: [UInt8], _ range: Range<Int>) {
        var index = range.lowerBound
        if index == 0, range.count >= 3, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == 0x0A {
                position.line += 1
                position.column = 1
            } else if byte & 0xC0 != 0x80 {
                position.column += 1
            }
            index += 1
        }
    }
}
