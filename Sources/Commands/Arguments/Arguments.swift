/// What a command line said, checked against a command's `CommandSpec`.
struct Arguments: Sendable, Equatable {
    /// Long names of the flags given.
    var flags: Set<String> = []
    /// By long name, in the order given.
    var values: [String: [String]] = [:]
    var positionals: [String] = []
    /// The program to run and its arguments, where the command takes one.
    var commandLine: [String] = []

    func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The value given last, which is the one that counts.
    func value(_ option: String) -> String? { values[option]?.last }

    /// All values of an option that takes a list, split at commas; nil where it was not given.
    func list(_ option: String) -> [String]? {
        values[option].map { $0.flatMap { $0.split(separator: ",").map(String.init) } }
    }
}

/// A command line without a command's own part: `devmesh -f FILE COMMAND …`.
struct Invocation: Sendable, Equatable {
    var file: String?
    var request: Request

    enum Request: Sendable, Equatable {
        /// `devmesh` alone.
        case nothing
        case help
        case version
        case command(name: String, rest: [String])
    }
}
