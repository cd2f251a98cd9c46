/// Wrong usage (exit code 2): what a command line said that no command understands.
enum UsageError: Error, Equatable {
    case unknownCommand(String, nearest: String?)
    case notYet(command: String)
    case unknownOption(String, command: String?, nearest: String?)
    case missingValue(String, String, command: String?)
    case unexpectedValue(String, command: String?)
    case unexpectedArgument(String, command: String)
    case missingArgument(String, command: String)
    case invalidValue(String, of: String, expected: String)
    /// `use` without a target.
    case missingTarget(service: String)
    /// `scale` with something other than SERVICE=N.
    case notAScale(String)
    /// `--since`, `--until` or `--grep`; the sentence is the room's of logs.
    case badLogQuery(String)
    /// An option that says nothing without one of others.
    case needsCompany(String, String)
    /// Two things that exclude each other.
    case conflict(String, String)
}
