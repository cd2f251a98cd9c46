import Manifest

/// Text for a POSIX shell.
enum ShellText {
    /// In single quotes, where nothing is special but the quote itself (POSIX.1-2024 XCU 2.2.2).
    static func quote(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

    /// `NAME='value'` lines by name, for `eval`; some variables that processes inherit can't be assigned to, as
    /// `BASH_FUNC_x%%`.
    static func assignments(_ environment: [String: String]) -> [String] {
        environment.filter { Variable.isName($0.key.utf8) }.sorted { $0.key < $1.key }.map {
            "\($0.key)=\(quote($0.value))"
        }
    }
}
