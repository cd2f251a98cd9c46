import JSON
import Platform

/// A file is edited until the new process answers, beside the program's own start; and what 20,000 changes cost.
func measureWatch(_ options: Options) throws(Malfunction) {
    let rounds = options.repetitions * 2
    let debounce = Duration.milliseconds(20)
    print("\nwatch: a file is changed, until the new process answers (\(rounds) changes, debounce \(shown(debounce)))")
    let watch: JSON = ["paths": ["source"], "debounce": "20ms"]
    let mesh = try Mesh(
        options, services: ["s1"], run: [options.fixture, "serve", "http"], extra: [.init("watch", watch)])
    let file = mesh.folder + "/source/main.c"
    try write(file, "0")
    try mesh.upUntilAllAnswer()
    let port = mesh.fronts["s1"]!
    // Files are watched a while after everything has been started: this one is found late.
    _ = try change(file, 0, until: port)
    var own: [Duration] = []
    var changes: [Duration] = []
    for round in 1...rounds {
        let began = Instant.now
        let bare = try BareProgram(options)
        try bare.ask().finish()
        own.append(Instant.now - began)
        bare.end()
        // What changes at once after each start might be the program's own doing, and would be left out in the end.
        pause(.milliseconds(2100))
        changes.append(try change(file, round, until: port))
    }
    let over = median(changes) - debounce - median(own)
    let table = Table(["", "median", "slowest"], widths: [26, 12, 12])
    table.row(["the program's own start", shown(median(own)), shown(own.max()!)])
    table.row(["from the change on", shown(median(changes)), shown(changes.max()!)])
    verdict("at most 50 ms over debounce and start: \(shown(over))", isMet: over <= .milliseconds(50))
    try measureStorm(mesh, port, options)
    try mesh.down()
}

/// As `git checkout` does it: folders and files come one after another as fast as the disk takes them.
private func measureStorm(_ mesh: Mesh, _ port: Int, _ options: Options) throws(Malfunction) {
    guard let user = mesh.supervisor?.pid else { return }
    let processes = ownProcesses(of: user, program: options.devmesh)
    let before = processes.compactMap(ProcessTable.cpuTime).reduce(0, +)
    let began = Instant.now
    for index in 0..<20_000 { try write("\(mesh.folder)/source/storm/\(index / 100)/\(index).c", "x") }
    let took = Instant.now - began
    let last = try change(mesh.folder + "/source/main.c", -1, until: port)
    let cost = Duration.nanoseconds(processes.compactMap(ProcessTable.cpuTime).reduce(0, +) - before)
    print("  20,000 files in 200 new folders, written in \(shown(took)): \(shown(cost)) of processor time for devmesh")
    verdict("the change after them answered after \(shown(last))", isMet: last <= .seconds(1))
}

/// From the moment a file is changed to the first answer of another process.
private func change(_ file: String, _ round: Int, until port: Int) throws(Malfunction) -> Duration {
    guard case .good(let before) = Client.get(port) else { throw Malfunction("the service doesn't answer") }
    let began = Instant.now
    try write(file, "\(round)")
    while true {
        switch Client.get(port) {
        case .good(let answer) where answer != before: return Instant.now - began
        case .good: break
        case .refused: throw Malfunction("a request was refused")
        case .bad(let why): throw Malfunction("a request failed: \(why)")
        }
        if Instant.now - began > .seconds(20) { throw Malfunction("no new process answered for 20 s") }
    }
}

private func write(_ file: String, _ text: String) throws(Malfunction) {
    try attempt("can't write \(file)") { () throws(Errno) in
        let kernel = Kernel.real
        let descriptor = try kernel.makingFolder(Path.parent(file)) { () throws(Errno) in
            try kernel.open(file, .truncate)
        }
        try kernel.writeAll(descriptor, text)
    }
}
