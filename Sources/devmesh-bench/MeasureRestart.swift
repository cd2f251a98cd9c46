import Platform

/// `devmesh restart` of one of ten, under requests, beside the program's own start.
func measureRestart(_ options: Options) throws(Malfunction) {
    let rounds = options.repetitions * 4
    print("\nrestart: one of ten, until the new process answers (\(rounds) restarts, requests all the while)")
    let services = (1...10).map { "s\($0)" }
    let mesh = try Mesh(options, services: services, run: [options.fixture, "serve", "http"])
    try mesh.upUntilAllAnswer()
    var own: [Duration] = []
    var restarts: [Duration] = []
    var requests = 0
    var failures: [String] = []
    for _ in 0..<rounds {
        let began = Instant.now
        let bare = try BareProgram(options)
        try bare.ask().finish()
        own.append(Instant.now - began)
        bare.end()
        restarts.append(try restart("s5", of: mesh, &requests, &failures))
    }
    try mesh.down()
    let (alone, all) = (median(own), median(restarts))
    let table = Table(["", "median", "slowest"], widths: [26, 12, 12])
    table.row(["the program's own start", shown(alone), shown(own.max()!)])
    table.row(["devmesh restart", shown(all), shown(restarts.max()!)])
    verdict(
        "at most 10 ms over the program's own start: \(shown(all - alone))", isMet: all - alone <= .milliseconds(10))
    let first = failures.first.map { ", the first: \($0)" } ?? ""
    verdict("\(requests) requests meanwhile, \(failures.count) refused or failed\(first)", isMet: failures.isEmpty)
}

/// From the moment the command is started to the first answer of another process.
private func restart(_ service: String, of mesh: Mesh, _ requests: inout Int, _ failures: inout [String])
    throws(Malfunction) -> Duration
{
    let port = mesh.fronts[service]!
    guard case .good(let before) = Client.get(port) else { throw Malfunction("\(service) doesn't answer") }
    let began = Instant.now
    let command = try mesh.start(["restart", service])
    while true {
        requests += 1
        switch Client.get(port) {
        case .good(let answer) where answer != before:
            let took = Instant.now - began
            guard command.wait().isSuccess else { throw Malfunction("'devmesh restart \(service)' failed") }
            return took
        case .good: break
        case .refused: failures.append("refused")
        case .bad(let why): failures.append(why)
        }
        if Instant.now - began > .seconds(20) { throw Malfunction("no new process answered for 20 s") }
    }
}
