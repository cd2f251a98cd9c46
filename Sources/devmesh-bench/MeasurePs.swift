import Platform

/// `devmesh ps` of ten services, from its start to its end.
func measurePs(_ options: Options) throws(Malfunction) {
    let rounds = options.repetitions * 10
    print("\nps: with ten services (\(rounds) times)")
    let services = (1...10).map { "s\($0)" }
    let mesh = try Mesh(options, services: services, run: [options.fixture, "serve", "http"])
    try mesh.upUntilAllAnswer()
    let table = Table(["", "median", "slowest"], widths: [26, 12, 12])
    var medians: [Duration] = []
    for command in [["version"], ["ps"]] {
        var times: [Duration] = []
        for _ in 0..<rounds {
            let began = Instant.now
            try mesh.run(command)
            times.append(Instant.now - began)
        }
        medians.append(median(times))
        table.row(["devmesh \(command[0])", shown(medians.last!), shown(times.max()!)])
    }
    try mesh.down()
    verdict("ps in under 15 ms: \(shown(medians[1]))", isMet: medians[1] < .milliseconds(15))
}
