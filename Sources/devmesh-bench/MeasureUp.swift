import Platform

/// `devmesh up` until every service has answered, beside a bare spawn of the same programs.
func measureUp(_ options: Options) throws(Malfunction) {
    print("\nup: until all N programs that bind at once have answered a request (median of \(options.repetitions))")
    let table = Table(["N", "bare spawn", "devmesh up", "ratio", "more"], widths: [6, 12, 12, 8, 12])
    for count in [1, 10, 50] {
        let services = (1...count).map { "s\($0)" }
        var bare: [Duration] = []
        var meshed: [Duration] = []
        let mesh = try Mesh(options, services: services, run: [options.fixture, "serve", "http"])
        for _ in 0..<options.repetitions {
            // Side by side, so that both meet the same weather.
            bare.append(try spawnBare(count, options))
            let began = Instant.now
            try mesh.upUntilAllAnswer()
            meshed.append(Instant.now - began)
            try mesh.down()
        }
        let (alone, all) = (median(bare), median(meshed))
        let ratio = "\(rounded(all.milliseconds / alone.milliseconds, digits: 2)) x"
        table.row(["\(count)", shown(alone), shown(all), ratio, "+\(shown(all - alone))"])
        if count == 50 {
            let allowed = alone * 1.3 + .milliseconds(10)
            verdict("at N = 50 at most 1.3 x bare and 10 ms: \(shown(all)) of \(shown(allowed))", isMet: all <= allowed)
        }
    }
}

private func spawnBare(_ count: Int, _ options: Options) throws(Malfunction) -> Duration {
    let began = Instant.now
    var programs: [BareProgram] = []
    for _ in 0..<count { programs.append(try BareProgram(options)) }
    // Asked all at once, like the mesh's services: how long the asking takes in a row is nobody's start.
    var requests: [Client.Pending] = []
    for program in programs { requests.append(try program.ask()) }
    for request in requests { try request.finish() }
    let took = Instant.now - began
    for program in programs { program.end() }
    return took
}
