/// A regular expression for lines, in Swift's (nearly Perl's) syntax; checked when made, compiled by each thread that
/// matches with it.
public struct LogPattern: Sendable, Equatable {
    public let source: String
    /// Text that every match contains; looked for first, since it is a hundred times faster.
    let required: [UInt8]
    /// `required` is all there is to it.
    let isLiteral: Bool

    /// - Throws: `LogError.badPattern`.
    public init(_ source: String) throws(LogError) {
        do {
            _ = try Regex(source)
        } catch {
            throw LogError.badPattern(source, reason: "\(error)")
        }
        self.source = source
        (required, isLiteral) = Self.requiredText(of: source)
    }

    /// The longest run of plain characters outside of groups and classes that a match must contain, and whether the
    /// whole expression is that run. Careful rather than clever: anything unusual means none.
    private static func requiredText(of source: String) -> (text: [UInt8], isAll: Bool) {
        let scalars = Array(source.unicodeScalars)
        let special = Set("\\^$.|?*+()[]{}# ".unicodeScalars)
        // An alternative or an inline flag such as `(?i)` changes what the rest means.
        if scalars.contains("|") || source.contains("(?") { return ([], false) }
        var best = ""
        var run = ""
        var depth = 0
        var at = 0
        while at < scalars.count {
            let scalar = scalars[at]
            at += 1
            let isPlain = depth == 0 && (!special.contains(scalar) || scalar == " " || scalar == "#")
            if isPlain {
                run.unicodeScalars.append(scalar)
                continue
            }
            // `?`, `*` and `{` make the character before them optional.
            if "?*{".unicodeScalars.contains(scalar) && !run.isEmpty { run.unicodeScalars.removeLast() }
            if run.utf8.count > best.utf8.count { best = run }
            run = ""
            if scalar == "\\" { return (Array(best.utf8), false) }
            if "([{".unicodeScalars.contains(scalar) { depth += 1 }
            if ")]}".unicodeScalars.contains(scalar) { depth -= 1 }
        }
        if run.utf8.count > best.utf8.count { best = run }
        return (Array(best.utf8), best == source)
    }
}

/// A pattern ready for use; belongs to one thread.
final class LineMatcher {
    private let pattern: LogPattern
    private let regex: Regex<AnyRegexOutput>?

    init(_ pattern: LogPattern) {
        self.pattern = pattern
        regex = pattern.isLiteral ? nil : (try? Regex(pattern.source))?.matchingSemantics(.unicodeScalar)
    }

    /// Whether the pattern occurs in `line`, its escape sequences left aside.
    func matches(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let stripped = withoutEscapes(line) else { return matchesPlain(line) }
        return stripped.withUnsafeBytes { matchesPlain($0) }
    }

    private func matchesPlain(_ line: UnsafeRawBufferPointer) -> Bool {
        guard contains(line, pattern.required) else { return false }
        guard let regex else { return true }
        return (try? regex.firstMatch(in: String(decoding: line, as: UTF8.self))) != nil
    }
}
