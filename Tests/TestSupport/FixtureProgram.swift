/// The path of `fixture`, the program of Tests/Fixture/main.c; what it can do stands at the top of that file.
///
/// It is built beside the test bundle, whose path the test runner puts into this process's arguments.
public let fixtureProgram: String = {
    for argument in CommandLine.arguments {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        if let bundle = parts.firstIndex(where: { $0.hasSuffix(".xctest") }) {
            return (parts[..<bundle] + ["fixture"]).joined(separator: "/")
        }
    }
    fatalError("no test bundle among the arguments: \(CommandLine.arguments)")
}()
