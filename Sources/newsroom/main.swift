import EventLoop
import Platform

// The example's services: one program, a subcommand each. What they know of each other is in their environment.
//
//     browser → reader → members → (cluster)
//                      → purge

Signal.pipe.ignore()
let service = CommandLine.arguments.count == 2 ? Service(rawValue: CommandLine.arguments[1]) : nil
guard let service else {
    complain("usage: newsroom reader|members|purge|cluster, with PORT in the environment")
    ThisProcess.exit(2)
}
do throws(Startup) {
    try service.run()
} catch {
    complain("newsroom \(service.rawValue): \(error.reason)")
    ThisProcess.exit(1)
}
