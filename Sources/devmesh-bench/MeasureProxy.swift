import JSON
import Platform

/// devmesh's front beside nginx and haproxy, each with one worker, all in front of the same site.
func measureProxy(_ options: Options) throws(Malfunction) {
    print(
        "\nproxy: a service's front beside nginx and haproxy as reverse proxies, one worker each, keep-alive on both sides"
    )
    guard let tools = options.proxyTools else {
        print(
            "  nginx is not installed, so there is nothing to compare with: apt install nginx, or --nginx"
        )
        return
    }
    let site = try Site()
    let mesh = try Mesh(
        options, services: [Site.name], run: site.command, extra: [.init("listens", .int(site.port))])
    try mesh.upUntilAllAnswer()
    var peers = [try Peer.nginx(tools, to: site.port, in: mesh.folder)]
    defer { for peer in peers { peer.end() } }
    if let haproxy = tools.haproxy { peers.append(try Peer.haproxy(haproxy, to: site.port, in: mesh.folder)) }
    let proxies = [try ReverseProxy.devmesh(mesh, service: Site.name, options)] + peers.map(\.proxy)
    print("  the site behind all of them: this program as a service of the mesh, by its own port (\"listens\")")
    try Arena(tools, proxies, mesh, options).compete()
    try mesh.down()
    try measureIdleConnections(options, tools)
    try measureStreams(options, tools)
}

/// Where the proxies compete: on a processor of their own, with load and site on another where there is one.
private struct Arena {
    private let proxies: [ReverseProxy]
    private let mesh: Mesh
    private let options: Options
    private let load: [String]

    private static let runLength = Duration.seconds(1)

    init(_ tools: ProxyTools, _ proxies: [ReverseProxy], _ mesh: Mesh, _ options: Options) throws(Malfunction) {
        self.proxies = proxies
        self.mesh = mesh
        self.options = options
        let ours = Set(proxies.flatMap(\.processes))
        let served = ProcessTable.snapshot().descendants(of: mesh.supervisor?.pid ?? 0).map(\.pid)
        guard try tools.place(Array(ours), on: 0), try tools.place(served.filter { !ours.contains($0) }, on: 1) else {
            load = tools.load
            print("  processors shared by all")
            return
        }
        load = [tools.taskset!, "-c", "1"] + tools.load
        print("  processor 0 for the proxies, processor 1 for load and site")
    }

    func compete() throws(Malfunction) {
        let small = try run("64 connections, small responses", connections: 64, path: "/")
        compare("at least 1.15 x nginx's rate", small, over: "nginx", atLeast: 1.15)
        verdict("p99 no worse than nginx's", ours: small[0].map(\.tail), theirs: small[1].map(\.tail))
        let one = try run("1 connection, small responses", connections: 1, path: "/")
        compare("at least 1.1 x nginx's rate", one, over: "nginx", atLeast: 1.1)
        let big = try run("16 connections, responses of 1 MB", connections: 16, path: "/big")
        compare("at least 2 x nginx's rate, with its default buffers", big, over: "nginx", atLeast: 2)
        compare("at least 1.2 x haproxy's rate", big, over: "haproxy", atLeast: 1.2)
        let failures = (small + one + big).joined().map(\.failures).reduce(0, +)
        verdict("\(failures) requests failed", isMet: failures == 0)
    }

    /// A run of each in turn, again and again, so that all meet the same weather; by proxy.
    private func run(_ title: String, connections: Int, path: String) throws(Malfunction) -> [[Load]] {
        let rounds = options.repetitions * 2
        print("  \(title): median of \(rounds) runs of \(Arena.runLength.components.seconds) s each, in turns")
        var loads = proxies.map { _ in [Load]() }
        var costs = proxies.map { _ in [Double]() }
        // Once for nothing: connections are made, memory is touched.
        for round in 0...rounds {
            for index in inTurns(proxies.count, round) {
                let proxy = proxies[index]
                let before = proxy.cpuTime
                let load = try Load.run(
                    self.load, connections: connections, for: Arena.runLength, port: proxy.port, path: path,
                    in: mesh.folder)
                guard round > 0 else { continue }
                loads[index].append(load)
                costs[index].append((proxy.cpuTime - before) / Double(load.requests))
            }
        }
        let table = Table(["", "requests/s", "median", "p99", "processor each"], widths: [10, 14, 14, 14, 16])
        for (index, (proxy, runs)) in zip(proxies, loads).enumerated() {
            let rate = Int(median(runs.map(\.requestsPerSecond)))
            table.row([
                proxy.name, "\(rate)", microseconds(median(runs.map(\.median))), microseconds(median(runs.map(\.tail))),
                "\(rounded(median(costs[index]) / 1000)) us",
            ])
        }
        return loads
    }

    /// The median of the ratios within the rounds: both of a round met the same weather.
    private func compare(_ figure: String, _ loads: [[Load]], over name: String, atLeast wanted: Double) {
        guard let other = proxies.firstIndex(where: { $0.name == name }) else {
            print("  \(name) is not installed, so there is nothing to compare with")
            return
        }
        let ratio = median(zip(loads[0], loads[other]).map { $0.requestsPerSecond / $1.requestsPerSecond })
        verdict("\(figure): \(rounded(ratio, digits: 2)) x", isMet: ratio >= wanted)
    }
}
