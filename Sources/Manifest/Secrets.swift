/// What is not to be shown (contract §7, rule 6).
public enum Secrets {
    /// What stands in place of a secret.
    public static let mask = "********"

    private static let words = ["TOKEN", "SECRET", "PASSW", "KEY", "CREDENTIAL"].map { Array($0.utf8) }

    /// Whether a variable of that name holds a secret.
    public static func isSecretName(_ name: String) -> Bool {
        // By bytes: this is asked of every name, and searching in a String is slow.
        var name = name
        return name.withUTF8 { bytes in
            bytes.indices.contains { start in
                words.contains { word in
                    bytes.count - start >= word.count
                        && word.indices.allSatisfy { bytes[start + $0].asciiUppercased == word[$0] }
                }
            }
        }
    }

    /// Whether a header of that name holds a secret.
    static func isSecretHeader(_ name: String) -> Bool {
        isSecretName(name) || ["authorization", "proxy-authorization", "cookie"].contains(name.lowercased())
    }

    /// Whether the text holds a URL with a password: `postgres://user:password@host/`.
    public static func holdsPassword(_ text: String) -> Bool {
        passwordRanges(text).isEmpty == false
    }

    /// Masks the passwords of the URLs in a text and leaves the rest.
    public static func maskingPasswords(in text: String) -> String {
        var result = text
        for range in passwordRanges(text).reversed() { result.replaceSubrange(range, with: mask) }
        return result
    }

    /// Masks the passwords of the URLs in a text and each occurrence of the values.
    public static func masking(_ values: [String], in text: String) -> String {
        var result = maskingPasswords(in: text)
        // The longest first, since one may be part of another.
        for value in values.sorted(by: { $0.utf8.count > $1.utf8.count }) where !value.isEmpty {
            result = masking(value, in: result) ?? result
        }
        return result
    }

    /// Nil where the value does not occur. By bytes: an accent behind it must not hide it, and searching in a String is
    /// slow.
    private static func masking(_ value: String, in text: String) -> String? {
        var (value, text) = (value, text)
        return text.withUTF8 { text in
            value.withUTF8 { value in
                var result: [UInt8] = []
                var (kept, index) = (0, 0)
                while index + value.count <= text.count {
                    if text[index] == value[0], text[index..<index + value.count].elementsEqual(value) {
                        result += text[kept..<index]
                        result += mask.utf8
                        index += value.count
                        kept = index
                    } else {
                        index += 1
                    }
                }
                return kept == 0 ? nil : String(decoding: result + text[kept...], as: UTF8.self)
            }
        }
    }

    private static func passwordRanges(_ text: String) -> [Range<String.Index>] {
        let utf8 = text.utf8
        guard utf8.contains(UInt8(ascii: "@")) else { return [] }
        var ranges: [Range<String.Index>] = []
        var index = utf8.startIndex
        while let colon = utf8[index...].firstIndex(of: UInt8(ascii: ":")) {
            index = utf8.index(after: colon)
            guard utf8[index...].starts(with: "//".utf8) else { continue }
            let start = utf8.index(index, offsetBy: 2)
            let end = utf8[start...].firstIndex { "/?#\"' \t\n".utf8.contains($0) } ?? utf8.endIndex
            if let at = utf8[start..<end].lastIndex(of: UInt8(ascii: "@")),
                let separator = utf8[start..<at].firstIndex(of: UInt8(ascii: ":")),
                utf8.index(after: separator) < at
            {
                ranges.append(utf8.index(after: separator)..<at)
            }
            index = end
        }
        return ranges
    }
}

extension Variable {
    /// The value to show to people: what is secret in it masked, injected variables by their names.
    public var masked: String {
        switch secrecy {
        case .none: Injected.display(value)
        case .passwords: Injected.display(Secrets.maskingPasswords(in: value))
        case .whole: Secrets.mask
        }
    }
}

extension Remote {
    /// The URL to show to people.
    public var maskedURL: String { Secrets.maskingPasswords(in: url) }
}
