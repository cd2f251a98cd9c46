/// Text for a POSIX shell.
enum ShellText {
    /// In single quotes, where nothing is special but the quote itself (POSIX.1-2024 XCU 2.2.2).
    static func quote(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

    /// Whether a shell can assign to it; some variables that processes inherit can't be, as `BASH_FUNC_x%%`.
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
        }
    }

    /// `NAME='value'` lines by name, for `eval`.
    static func assignments(_ environment: [String: String]) -> [String] {
        environment.filter { isName($0.key) }.sorted { $0.key < $1.key }.map { "\($0.key)=\(quote($0.value))" }
    }
}
