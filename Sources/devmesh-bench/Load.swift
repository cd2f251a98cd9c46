import Platform

/// What wrk, or our own generator, measured in one run.
struct Load {
    var requests: Int
    var requestsPerSecond: Double
    var median: Duration
    /// The slowest of a hundred.
    var tail: Duration
    /// Responses other than 2xx and 3xx, and connections that failed.
    var failures: Int

    /// Runs it with one thread against `path` at `port`.
    static func run(
        _ command: [String], connections: Int, for duration: Duration, port: Int, path: String, in folder: String
    )
        throws(Malfunction) -> Load
    {
        let output = "\(folder)/wrk-\(UInt32.random(in: 0 ... .max)).txt"
        let arguments = [
            "-t1", "-c\(connections)", "-d\(duration.components.seconds)s", "--latency",
            "http://127.0.0.1:\(port)\(path)",
        ]
        let program = try Program(
            command + arguments, environment: ThisProcess.environment, directory: folder, stdout: .file(output),
            stderr: .file(output))
        let status = program.wait()
        let text = String(decoding: (try? Kernel.real.readFile(output)) ?? [], as: UTF8.self)
        guard status.isSuccess, let load = Load(text) else {
            throw Malfunction("\(command) ended with \(status) and said: \(text)")
        }
        return load
    }

    /// Reads the report.
    init?(_ report: String) {
        var total: Int?
        var rate: Double?
        var latency: [Substring: Duration] = [:]
        failures = 0
        for line in report.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words.first {
            case "Requests/sec:": rate = words.last.flatMap { Double($0) }
            case "50%", "99%": latency[words[0]] = words.last.flatMap { Load.duration($0) }
            case "Non-2xx", "Socket":
                failures += words.compactMap { Int($0.last == "," ? $0.dropLast() : $0) }.reduce(0, +)
            case _ where words.dropFirst().first == "requests": total = Int(words[0])
            default: continue
            }
        }
        guard let total, total > 0, let rate, let median = latency["50%"], let tail = latency["99%"] else { return nil }
        requests = total
        requestsPerSecond = rate
        self.median = median
        self.tail = tail
    }

    /// As `640.00us`, `1.27ms` or `1.02s`.
    private static func duration(_ text: Substring) -> Duration? {
        let unit = text.drop { $0.isNumber || $0 == "." }
        guard let number = Double(text.dropLast(unit.count)) else { return nil }
        switch unit {
        case "us": return .nanoseconds(Int64(number * 1000))
        case "ms": return .nanoseconds(Int64(number * 1_000_000))
        case "s": return .nanoseconds(Int64(number * 1_000_000_000))
        default: return nil
        }
    }
}
