import Commands

CommandLineTool.main(Array(CommandLine.arguments.dropFirst()))
