import Platform

/// The program: reads the command line, runs one command, says what went wrong.
public enum CommandLineTool {
    /// Runs to the end of the command, and leaves with its exit code (contract §5).
    ///
    /// - Parameter words: the command line without the program's name.
    public static func main(_ words: [String]) -> Never {
        ThisProcess.tidyUp()
        Signal.pipe.ignore()
        let environment = ThisProcess.environment
        let session = Session(
            environment: environment, directory: ThisProcess.currentDirectory, file: nil,
            output: Output(.output, environment: environment), notices: Output(.error, environment: environment))
        ThisProcess.exit(run(words, in: session))
    }

    static func run(_ words: [String], in session: Session) -> Int32 {
        do throws(CommandFailure) {
            return try dispatch(words, session)
        } catch {
            // Nobody is left to tell where standard error is gone as well.
            try? session.notices.lines(error.lines)
            return error.exitCode.rawValue
        }
    }

    private static func dispatch(_ words: [String], _ session: Session) throws(CommandFailure) -> Int32 {
        let invocation = try session.usage { () throws(UsageError) in try ArgumentParser.invocation(words) }
        switch invocation.request {
        case .nothing:
            try session.notices.write(HelpText(width: session.notices.width).overview(Subcommands.specs))
            return ExitCode.usage.rawValue
        case .help:
            return try HelpCommand.run(Arguments(), in: session)
        case .version:
            return try VersionCommand.run(Arguments(), in: session)
        case .command(let name, let rest):
            let command = try session.usage { () throws(UsageError) in try Subcommands.named(name) }
            let arguments = try session.usage { () throws(UsageError) in
                try ArgumentParser.parse(rest, for: command.spec)
            }
            if arguments.has("help") {
                try session.output.write(HelpText(width: session.output.width).command(command.spec))
                return 0
            }
            var session = session
            session.file = arguments.value("file") ?? invocation.file
            return try command.run(arguments, in: session)
        }
    }
}
