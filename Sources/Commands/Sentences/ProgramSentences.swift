import Platform

extension Sentences {
    /// `exec` and `run`, with the exit codes that env(1) has for these: 127 and 126.
    static func notFound(_ program: String) -> String {
        program.contains("/")
            ? "There is no program \(program)."
            : "There is no program \"\(program)\" on the PATH; name it by its path, or install it."
    }

    static func notExecutable(_ path: String) -> String {
        "\(path) can't be executed; `chmod +x \(path)` mends it if it is a program."
    }

    static func cannotExecute(_ path: String, _ error: Errno) -> String { "\(path) could not be started: \(error)." }

    static func noDirectory(_ path: String, of service: String) -> String {
        "The folder of \(service), \(path), is not there; make it, or change services.\(service).directory."
    }
}
