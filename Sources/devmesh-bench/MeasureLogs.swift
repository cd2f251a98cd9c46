import JSON
import Platform
import Synchronization

private let services = (1...4).map { "w\($0)" }
private let lineLength = 100
private let linesEach = 500_000
/// honcho is slow enough for its rate to be known by then.
private let linesEachForHoncho = 50_000
private let worker: [JSON.Member] = [.init("listens", false)]

/// Four chatty services into a file, beside honcho; then with a slow reader.
func measureLogs(_ options: Options) throws(Malfunction) {
    print("\nlogs: four services, \(linesEach) lines of \(lineLength) bytes each, to a file, and stored too")
    let table = Table(["", "lines", "time", "lines/s", "faults"], widths: [22, 10, 12, 12, 8])
    let ours = try measureUpToFile(options)
    table.row(["devmesh up > file"] + ours.cells)
    let stored = try measureStored(ours.mesh)
    table.row(["devmesh logs > file"] + stored.cells)
    try ours.mesh.down()
    for run in [ours, stored] {
        let first = run.check.firstFault.map { "; the first: \($0)" } ?? ""
        let missing = services.count * linesEach - run.check.good
        verdict(
            "\(run.name): \(missing) lines lost, torn or mixed\(first)", isMet: missing == 0 && run.check.faults == 0)
    }
    if let honcho = options.honcho {
        let theirs = try measureHoncho(honcho, options)
        table.row(["honcho start > file"] + theirs.cells)
        let ratio = ours.rate / theirs.rate
        verdict("at least 30 x honcho's rate: \(rounded(ratio)) x", isMet: ratio >= 30)
    } else {
        print("  honcho is not installed, so there is nothing to compare with: pip install honcho, or --honcho PATH")
    }
    try measureSlowReader(options)
}

private struct Run {
    var name: String
    var took: Duration
    var check: LineCheck
    var mesh: Mesh

    var rate: Double { Double(check.good) / took.inSeconds }
    var cells: [String] { ["\(check.good)", shown(took), "\(Int(rate))", "\(check.faults)"] }
}

private func fixture(_ options: Options, lines: Int) -> [String] {
    [options.fixture, "lines", "\(lines)", "\(lineLength)"]
}

private func measureUpToFile(_ options: Options) throws(Malfunction) -> Run {
    let mesh = try Mesh(
        options, services: services, run: fixture(options, lines: linesEach) + ["wait"], extra: worker)
    let began = Instant.now
    let program = try mesh.up(stdout: .file(mesh.folder + "/output.txt"))
    let check = try follow(mesh.folder + "/output.txt", until: services.count * linesEach, of: program)
    return Run(name: "up", took: Instant.now - began, check: check, mesh: mesh)
}

private func measureStored(_ mesh: Mesh) throws(Malfunction) -> Run {
    let began = Instant.now
    let program = try mesh.start(["logs"], stdout: .file(mesh.folder + "/stored.txt"))
    let check = try follow(mesh.folder + "/stored.txt", until: services.count * linesEach, of: program)
    let took = Instant.now - began
    program.wait()
    return Run(name: "logs", took: took, check: check, mesh: mesh)
}

private func measureHoncho(_ honcho: String, _ options: Options) throws(Malfunction) -> Run {
    // A mesh only for its folder: it is never up.
    let mesh = try Mesh(options, services: services, run: [options.fixture, "wait"], extra: worker)
    let command = (fixture(options, lines: linesEachForHoncho) + ["wait"]).joined(separator: " ")
    let procfile = services.map { "\($0): \(command)\n" }.joined()
    try attempt("can't write a Procfile") { () throws(Errno) in
        let file = try Kernel.real.open(mesh.folder + "/Procfile", .createNew)
        try Kernel.real.writeAll(file, procfile)
    }
    let output = mesh.folder + "/output.txt"
    let began = Instant.now
    let program = try Program(
        [honcho, "--no-colour", "start"], environment: ThisProcess.environment, directory: mesh.folder,
        stdout: .file(output))
    let check = try follow(output, until: services.count * linesEachForHoncho, of: program)
    let took = Instant.now - began
    program.end()
    return Run(name: "honcho", took: took, check: check, mesh: mesh)
}

/// Reads a file while it grows, until so many lines are there, or whoever writes it is gone and it has been read.
private func follow(_ path: String, until wanted: Int, of program: Program) throws(Malfunction) -> LineCheck {
    var check = LineCheck(length: lineLength)
    let file = try attempt("can't read \(path)") { () throws(Errno) in try Kernel.real.open(path, .read) }
    var quiet = 0
    while check.good + check.faults < wanted {
        let isOver = program.hasEnded
        let bytes = try attempt("can't read \(path)") { () throws(Errno) in
            try Kernel.real.next(file, atMost: 1 << 20)
        }
        if bytes.isEmpty {
            quiet += 1
            // What is missing after ten quiet seconds won't come.
            if isOver || quiet > 5000 { break }
            pause(.milliseconds(2))
        } else {
            quiet = 0
            check.feed(bytes)
        }
    }
    return check
}

// MARK: A slow reader

private func measureSlowReader(_ options: Options) throws(Malfunction) {
    print("  the same with stdout read at 1 MB/s, until the services have ended")
    let table = Table(["stdout", "time", "peak memory"], widths: [22, 12, 14])
    let free = try untilCompleted(options, slowly: false)
    table.row(["to /dev/null", shown(free.took), "\(free.peak / 1024) MB"])
    let slow = try untilCompleted(options, slowly: true)
    table.row(["read at 1 MB/s", shown(slow.took), "\(slow.peak / 1024) MB"])
    let allowed = free.took * 1.25 + .milliseconds(100)
    verdict("services finish as if nobody read (within a quarter)", isMet: slow.took <= allowed)
    verdict("in bounded memory (64 MB)", isMet: max(free.peak, slow.peak) < 64 * 1024)
}

private func untilCompleted(_ options: Options, slowly: Bool) throws(Malfunction) -> (took: Duration, peak: Int) {
    let mesh = try Mesh(options, services: services, run: fixture(options, lines: linesEach), extra: worker)
    let reader = try SlowReader(bytesPerSecond: 1_000_000)
    let began = Instant.now
    let program = try mesh.up(stdout: slowly ? .descriptor(reader.writeEnd) : .null)
    try mesh.runWhenUp(["wait", "--for", "completed", "--timeout", "120s"] + services)
    let took = Instant.now - began
    let peak = numbers(in: "/proc/\(program.pid)/status", named: "VmHWM:").first ?? 0
    reader.stop()
    try mesh.down()
    return (took, peak)
}

/// Reads a pipe at a steady rate on a thread of its own.
private final class SlowReader {
    private let writer: Descriptor
    private let isStopped = Stop()
    private let thread: PlatformThread

    private final class Stop: Sendable {
        let flag = Mutex(false)
        var isSet: Bool { flag.withLock { $0 } }
    }

    init(bytesPerSecond: Int) throws(Malfunction) {
        let pipe = try attempt("can't make a pipe") { () throws(Errno) in try Kernel.real.pipe() }
        writer = try attempt("can't keep a pipe") { () throws(Errno) in try Kernel.real.duplicate(pipe.writer) }
        let reader = try attempt("can't keep a pipe") { () throws(Errno) in try Kernel.real.duplicate(pipe.reader) }
        let raw = reader.release()
        let stop = isStopped
        thread = try attempt("can't start a thread") { () throws(Errno) in
            try PlatformThread("slow reader") {
                // Given up above; closed when the thread ends, which breaks the pipe.
                let reader = Descriptor(owning: raw)
                while !stop.isSet, let bytes = try? Kernel.real.next(reader, atMost: bytesPerSecond / 100),
                    !bytes.isEmpty
                {
                    pause(.milliseconds(10))
                }
            }
        }
    }

    /// The end to write into; ours, so it is open for as long as this object lives.
    var writeEnd: Int32 { writer.raw }

    /// Ends the reading, with the next bytes at the latest, and so breaks the pipe.
    func stop() { isStopped.flag.withLock { $0 = true } }
}
