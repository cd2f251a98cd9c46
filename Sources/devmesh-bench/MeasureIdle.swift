import Platform

/// What a mesh of ten costs when nothing happens, after a day on which much did.
func measureIdle(_ options: Options) throws(Malfunction) {
    let window = Duration.seconds(10)
    print("\nidle: ten services at rest, after a million lines and 2,000 requests")
    let services = (1...10).map { "s\($0)" }
    let mesh = try Mesh(
        options, services: services, run: [options.fixture, "lines", "100000", "100", "serve", "http"])
    try mesh.upUntilAllAnswer()
    for _ in 0..<200 {
        for service in services {
            guard case .good = Client.get(mesh.fronts[service]!) else { throw Malfunction("\(service) failed") }
        }
    }
    guard let supervisor = mesh.supervisor else { return }
    let pids = ownProcesses(of: supervisor.pid, program: options.devmesh)
    settle(pids)
    let before = switches(pids)
    pause(window)
    let wakeUps = Double(switches(pids) - before) / window.inSeconds
    let memory = pids.map(proportionalSetSize).reduce(0, +)
    try mesh.down()

    let table = Table(["processes of devmesh", "memory (PSS)", "wake-ups"], widths: [24, 16, 14])
    table.row(["\(pids.count)", "\(rounded(Double(memory) / 1024)) MB", "\(rounded(wakeUps)) /s"])
    verdict("under 12 MB", isMet: memory > 0 && memory < 12 * 1024)
    verdict("0 wake-ups a second", isMet: wakeUps < 0.05)
}

/// The supervisor and those of its descendants that run the same program.
func ownProcesses(of supervisor: Int32, program: String) -> [Int32] {
    let executable = try? Kernel.real.realPath(program)
    let below = ProcessTable.snapshot().descendants(of: supervisor).map(\.pid)
    return [supervisor] + below.filter { (try? Kernel.real.realPath("/proc/\($0)/exe")) == executable }
}

/// Waits until a second passes with nothing done, or gives up on it after 20.
private func settle(_ pids: [Int32]) {
    var last = switches(pids)
    for _ in 0..<20 {
        pause(.seconds(1))
        let now = switches(pids)
        if now == last { return }
        last = now
    }
}

/// How often a thread of these went to sleep or was put aside (proc_pid_status(5)).
private func switches(_ pids: [Int32]) -> Int {
    var sum = 0
    for pid in pids {
        for thread in (try? Kernel.real.list("/proc/\(pid)/task")) ?? [] {
            sum += numbers(in: "/proc/\(pid)/task/\(thread)/status", named: "ctxt_switches:").reduce(0, +)
        }
    }
    return sum
}

/// In KB: shared pages count by the share of those who have them.
func proportionalSetSize(_ pid: Int32) -> Int { (ProcessTable.proportionalMemory(of: pid) ?? 0) >> 10 }

/// The numbers on the lines whose first word ends with `name`.
func numbers(in path: String, named name: String) -> [Int] {
    let text = String(decoding: (try? Kernel.real.readFile(path)) ?? [], as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
        let words = line.split { $0 == " " || $0 == "\t" }
        return words.count > 1 && words[0].hasSuffix(name) ? Int(words[1]) : nil
    }
}
