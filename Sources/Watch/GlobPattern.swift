/// A pattern as in a .gitignore, for paths relative to a folder (gitignore(5)).
struct GlobPattern: Sendable, Equatable {
    /// `!…`: it takes back what patterns before it said.
    let isNegated: Bool
    /// `…/`: it is about folders only.
    let isFolderOnly: Bool
    private let form: Form

    /// What most patterns are is compared without looking at each character.
    private enum Form: Equatable {
        case name([UInt8])
        case nameEndsWith([UInt8])
        case nameBeginsWith([UInt8])
        case nameMatches([UInt8])
        case pathMatches([UInt8])
    }

    /// Nil for a line that holds no pattern: it is empty or a comment.
    init?(_ line: String) {
        var text = Array(line.utf8)
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        // Spaces at the end count only where the last is escaped.
        while text.last == UInt8(ascii: " "), text.dropLast().last != UInt8(ascii: "\\") { text.removeLast() }
        if text.first == UInt8(ascii: "#") { return nil }
        isNegated = text.first == UInt8(ascii: "!")
        if isNegated { text.removeFirst() }
        isFolderOnly = text.last == UInt8(ascii: "/")
        if isFolderOnly { text.removeLast() }
        let isRooted = text.first == UInt8(ascii: "/")
        if isRooted { text.removeFirst() }
        guard !text.isEmpty else { return nil }
        let special = Set("*?[\\".utf8)
        if isRooted || text.contains(UInt8(ascii: "/")) {
            form = .pathMatches(text)
        } else if !text.contains(where: special.contains) {
            form = .name(text)
        } else if text.first == UInt8(ascii: "*"), !text.dropFirst().contains(where: special.contains) {
            form = .nameEndsWith(Array(text.dropFirst()))
        } else if text.last == UInt8(ascii: "*"), !text.dropLast().contains(where: special.contains) {
            form = .nameBeginsWith(Array(text.dropLast()))
        } else {
            form = .nameMatches(text)
        }
    }

    /// - Parameters:
    ///   - path: relative to the folder that the pattern belongs to.
    ///   - name: its last part.
    func matches(_ path: Slice<UnsafeBufferPointer<UInt8>>, name: Slice<UnsafeBufferPointer<UInt8>>, isFolder: Bool)
        -> Bool
    {
        if isFolderOnly, !isFolder { return false }
        switch form {
        case .name(let text): return name.count == text.count && name.elementsEqual(text)
        case .nameEndsWith(let text): return name.count >= text.count && name.suffix(text.count).elementsEqual(text)
        case .nameBeginsWith(let text): return name.starts(with: text)
        case .nameMatches(let pattern): return Wildcards.match(pattern, name)
        case .pathMatches(let pattern): return Wildcards.match(pattern, path)
        }
    }

    /// The same for a path as text.
    func matches(_ path: String, isFolder: Bool) -> Bool {
        var path = path
        return path.withUTF8 { bytes in
            let name = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
            return matches(bytes[...], name: bytes[name...], isFolder: isFolder)
        }
    }
}

/// Wildcards as git has them: `*` and `?` stay within a part of a path, `**/` spans parts, `[a-z]` is one of several.
enum Wildcards {
    static func match(_ pattern: [UInt8], _ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var position = 0
        var place = text.startIndex
        // Where to go on when what follows does not fit: the last `*` and the last `**/`, each with the place that it
        // reaches to. Those before need not be tried again: what a later one can take includes it.
        var star: (pattern: Int, place: Int)?
        var span: (pattern: Int, place: Int)?
        while true {
            if position == pattern.count, place == text.endIndex { return true }
            if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
                let (end, isSpan) = stars(pattern, position)
                if isSpan, end == pattern.count {
                    if place < text.endIndex { return true }
                } else if isSpan {
                    position = end + 1
                    span = (position, place)
                    star = nil
                    continue
                } else {
                    position = end
                    star = (position, place)
                    continue
                }
            } else if place < text.endIndex, let next = step(pattern, position, text[place]) {
                position = next
                place += 1
                continue
            }
            if let last = star, last.place < text.endIndex, text[last.place] != slash {
                star = (last.pattern, last.place + 1)
                (position, place) = (last.pattern, last.place + 1)
            } else if let last = span, let end = text[last.place...].firstIndex(of: slash) {
                span = (last.pattern, end + 1)
                star = nil
                (position, place) = (last.pattern, end + 1)
            } else {
                return false
            }
        }
    }

    private static let slash = UInt8(ascii: "/")

    /// Where the asterisks that begin at `start` end, and whether they span parts: two, alone between slashes.
    private static func stars(_ pattern: [UInt8], _ start: Int) -> (end: Int, isSpan: Bool) {
        var end = start
        while end < pattern.count, pattern[end] == UInt8(ascii: "*") { end += 1 }
        let isAlone =
            (start == 0 || pattern[start - 1] == slash) && (end == pattern.count || pattern[end] == slash)
        return (end, isAlone && end - start == 2)
    }

    /// Behind what of the pattern one byte fits; nil where it does not.
    private static func step(_ pattern: [UInt8], _ position: Int, _ byte: UInt8) -> Int? {
        guard position < pattern.count else { return nil }
        switch pattern[position] {
        case UInt8(ascii: "?"): return byte == slash ? nil : position + 1
        case UInt8(ascii: "["): return byte == slash ? nil : oneOf(pattern, position + 1, byte)
        case UInt8(ascii: "\\"):
            return position + 1 < pattern.count && pattern[position + 1] == byte ? position + 2 : nil
        case let literal: return literal == byte ? position + 1 : nil
        }
    }

    /// `[a-z]`, from behind the bracket.
    private static func oneOf(_ pattern: [UInt8], _ start: Int, _ byte: UInt8) -> Int? {
        var position = start
        let isNegated =
            position < pattern.count
            && (pattern[position] == UInt8(ascii: "!") || pattern[position] == UInt8(ascii: "^"))
        if isNegated { position += 1 }
        var isFirst = true
        var isIn = false
        func literal() -> UInt8? {
            if position < pattern.count, pattern[position] == UInt8(ascii: "\\") { position += 1 }
            guard position < pattern.count else { return nil }
            defer { position += 1 }
            return pattern[position]
        }
        while position < pattern.count {
            if pattern[position] == UInt8(ascii: "]"), !isFirst { return isIn != isNegated ? position + 1 : nil }
            isFirst = false
            if let named = Class(pattern, &position) {
                isIn = isIn || named.contains(byte)
                continue
            }
            guard let low = literal() else { return nil }
            var high = low
            if position + 1 < pattern.count, pattern[position] == UInt8(ascii: "-"),
                pattern[position + 1] != UInt8(ascii: "]")
            {
                position += 1
                guard let end = literal() else { return nil }
                high = end
            }
            isIn = isIn || low <= byte && byte <= high
        }
        return nil
    }

    /// `[:alpha:]` within brackets.
    private enum Class: String, CaseIterable {
        case alnum, alpha, blank, digit, lower, punct, space, upper, xdigit

        init?(_ pattern: [UInt8], _ position: inout Int) {
            let found = Self.allCases.first { pattern[position...].starts(with: "[:\($0.rawValue):]".utf8) }
            guard let found else { return nil }
            position += found.rawValue.utf8.count + 4
            self = found
        }

        func contains(_ byte: UInt8) -> Bool {
            let isLower = UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
            let isUpper = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
            let isDigit = UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            switch self {
            case .alnum: return isLower || isUpper || isDigit
            case .alpha: return isLower || isUpper
            case .blank: return byte == 0x20 || byte == 0x09
            case .digit: return isDigit
            case .lower: return isLower
            case .punct: return 0x21...0x7E ~= byte && !isLower && !isUpper && !isDigit
            case .space: return byte == 0x20 || 0x09...0x0D ~= byte
            case .upper: return isUpper
            case .xdigit:
                return isDigit || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
                    || UInt8(ascii: "A")...UInt8(ascii: "F") ~= byte
            }
        }
    }
}
