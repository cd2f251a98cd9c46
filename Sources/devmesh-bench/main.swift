import Platform

// Measures devmesh beside what anyone would use instead, and prints ratios: those say more of a program than of the
// machine they were taken on. Ends with 1 on malfunction only; a figure that is not met is said, not punished.

Signal.pipe.ignore()
do throws(Malfunction) {
    try SiteServer.serveIfAsked(CommandLine.arguments)
    try LoadGenerator.loadIfAsked(CommandLine.arguments)
    let options = try Options(Array(CommandLine.arguments.dropFirst()), environment: ThisProcess.environment)
    try Leftovers.kill(after: .seconds(900))
    print("devmesh-bench on \(Machine.description)\n  of \(options.devmesh)")
    for benchmark in options.benchmarks { try benchmark.run(options) }
} catch {
    try? StandardStream.error.write("devmesh-bench: \(error.reason)\n")
    Leftovers.kill()
    ThisProcess.exit(error.isUsage ? 2 : 1)
}
