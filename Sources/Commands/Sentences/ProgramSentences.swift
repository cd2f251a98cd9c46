import Platform

extension Sentences {
    static func unusable(_ program: String, _ failure: Executable.Failure) -> String {
        switch failure {
        case .notFound where program.contains("/"): "There is no program \(program)."
        case .notFound: "There is no program \"\(program)\" on the PATH; name it by its path, or install it."
        case .notExecutable(let path): "\(path) can't be executed; `chmod +x \(path)` mends it if it is a program."
        }
    }

    static func cannotExecute(_ path: String, _ error: Errno) -> String { "\(path) could not be started: \(error)." }

    static func noDirectory(_ path: String, of service: String) -> String {
        "The folder of \(service), \(path), is not there; make it, or change services.\(service).directory."
    }
}
