import Platform

/// Whether anything is left: of a mesh whose supervisor is killed, and in a mesh that restarts all day.
func measureLife(_ options: Options) throws(Malfunction) {
    try measureKills(options)
    try measureLeaks(options)
}

/// From kill -9 of the supervisor to the end of the last process of the mesh, its guardians included.
private func measureKills(_ options: Options) throws(Malfunction) {
    let rounds = 100
    let services = (1...20).map { "s\($0)" }
    print("\nlife: kill -9 of the supervisor of \(services.count) services, each with a setsid child that ignores TERM")
    let mesh = try Mesh(options, services: services, run: [options.fixture, "setsid", "serve", "http"])
    var times: [Duration] = []
    for _ in 0..<rounds {
        try mesh.upUntilAllAnswer()
        guard let first = mesh.supervisor else { return }
        let table = ProcessTable.snapshot()
        let all = table.descendants(of: first.pid).filter { !$0.isZombie }
        // The guardian, the supervisor, and two of each service.
        guard let supervisor = table.supervisor(below: first.pid), all.count == 2 * services.count + 2 else {
            throw Malfunction("the mesh has \(all.count) processes, not \(2 * services.count + 2)")
        }
        let began = Instant.now
        ProcessTable.signal(supervisor, .kill)
        var left = all
        while !left.isEmpty || !first.hasEnded {
            left = left.filter { entry in
                ProcessTable.entry(entry.pid).map { $0.started == entry.started && !$0.isZombie } ?? false
            }
            if Instant.now - began > .seconds(20) { throw Malfunction("\(left.count) processes are left after 20 s") }
        }
        times.append(Instant.now - began)
    }
    let late = times.count { $0 >= .milliseconds(200) }
    let table = Table(["", "median", "slowest"], widths: [26, 12, 12])
    table.row(["until nothing is left", shown(median(times)), shown(times.max()!)])
    verdict("under 200 ms, \(rounds - late) times of \(rounds)", isMet: late == 0)
}

/// What a mesh holds before and after a thousand restarts of one service.
private func measureLeaks(_ options: Options) throws(Malfunction) {
    let rounds = 1000
    print("\nlife: one of three services restarted \(rounds) times")
    let mesh = try Mesh(options, services: ["s1", "s2", "s3"], run: [options.fixture, "serve", "http"])
    try mesh.upUntilAllAnswer()
    guard let first = mesh.supervisor else { return }
    // What is kept for reuse is there after the first hundred.
    for _ in 0..<100 { try mesh.run(["restart", "s1"]) }
    let before = holdings(first.pid)
    for _ in 0..<rounds { try mesh.run(["restart", "s1"]) }
    let after = holdings(first.pid)
    try mesh.down()
    let table = Table(["", "before", "after"], widths: [26, 12, 12])
    table.row(["open descriptors", "\(before.descriptors)", "\(after.descriptors)"])
    table.row(["processes", "\(before.processes)", "\(after.processes)"])
    table.row(["zombies", "\(before.zombies)", "\(after.zombies)"])
    table.row(["memory (PSS)", "\(before.memory) KB", "\(after.memory) KB"])
    verdict(
        "no descriptor, no process, no zombie more",
        isMet: before.descriptors == after.descriptors && before.processes == after.processes && after.zombies == 0)
    let more = after.memory - before.memory
    verdict("less than 100 bytes a restart: \(more * 1024 / rounds)", isMet: more * 1024 < 100 * rounds)
}

/// Of the first process of a mesh and what is below it.
private func holdings(_ first: Int32) -> (descriptors: Int, processes: Int, zombies: Int, memory: Int) {
    pause(.seconds(2))
    let table = ProcessTable.snapshot()
    let below = table.descendants(of: first)
    let supervisor = table.supervisor(below: first)
    let descriptors = (try? Kernel.real.list("/proc/\(first)/fd"))?.count ?? 0
    let memory = [first, supervisor?.parent, supervisor?.pid].compactMap { $0 }.map(proportionalSetSize).reduce(0, +)
    return (descriptors, below.count, below.count { $0.isZombie }, memory)
}

extension ProcessTable {
    /// The child of the guardian, which is the first process's.
    fileprivate func supervisor(below first: Int32) -> ProcessEntry? {
        let guardian = entries.first { $0.parent == first }
        return entries.first { $0.parent == guardian?.pid }
    }
}
