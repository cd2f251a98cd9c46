import Platform

/// Why there is no figure.
struct Malfunction: Error {
    let reason: String
    var isUsage = false

    init(_ reason: String, isUsage: Bool = false) {
        self.reason = reason
        self.isUsage = isUsage
    }
}

/// What can be measured, in the order of `all`.
enum Benchmark: String, CaseIterable {
    case up, restart, watch, logs, idle, ps, proxy, life

    func run(_ options: Options) throws(Malfunction) {
        switch self {
        case .up: try measureUp(options)
        case .restart: try measureRestart(options)
        case .watch: try measureWatch(options)
        case .logs: try measureLogs(options)
        case .idle: try measureIdle(options)
        case .ps: try measurePs(options)
        case .proxy: try measureProxy(options)
        case .life: try measureLife(options)
        }
    }
}

struct Options {
    var benchmarks: [Benchmark] = []
    /// The program to measure.
    var devmesh: String
    /// The service that binds at once (Tests/Fixture/main.c).
    var fixture: String
    var honcho: String?
    /// What the proxy is measured beside and with; nil where one that it can't do without is missing.
    var proxyTools: ProxyTools? {
        guard let nginx else { return nil }
        return ProxyTools(nginx: nginx, load: load, haproxy: haproxy, taskset: taskset)
    }
    private var nginx: String?
    private var haproxy: String?
    /// The command that makes the load: our own, or wrk where that is asked for.
    private var load: [String]
    private var taskset: String?
    /// How often each thing is measured; the median counts.
    var repetitions = 9

    static let usage = """
        usage: devmesh-bench up|restart|watch|logs|idle|ps|proxy|life|all [--repeat N] [--devmesh PATH]
                             [--fixture PATH] [--honcho PATH] [--nginx PATH] [--haproxy PATH] [--wrk PATH]
        The programs are looked for beside this one, its peers on the PATH. Build them all, for release:
          swift build -c release && .build/release/devmesh-bench all
        """

    init(_ arguments: [String], environment: [String: String]) throws(Malfunction) {
        let folder = Path.parent(ThisProcess.executablePath ?? ".")
        devmesh = Path.join(folder, "devmesh")
        fixture = Path.join(folder, "fixture")
        load = [ThisProcess.executablePath ?? "devmesh-bench", LoadGenerator.word]
        let here = ThisProcess.currentDirectory
        // Debian keeps servers out of a user's PATH.
        let path = (environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        func found(_ name: String) -> String? { try? Executable.find(name, path: path, directory: here) }
        honcho = found("honcho")
        nginx = found("nginx")
        haproxy = found("haproxy")
        taskset = found("taskset")
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "all": benchmarks += Benchmark.allCases
            case "--devmesh": devmesh = Path.join(here, try Self.value(of: argument, &rest))
            case "--fixture": fixture = Path.join(here, try Self.value(of: argument, &rest))
            case "--honcho": honcho = Path.join(here, try Self.value(of: argument, &rest))
            case "--nginx": nginx = Path.join(here, try Self.value(of: argument, &rest))
            case "--haproxy": haproxy = Path.join(here, try Self.value(of: argument, &rest))
            case "--wrk": load = [Path.join(here, try Self.value(of: argument, &rest))]
            case "--repeat":
                guard let number = Int(try Self.value(of: argument, &rest)), number > 0 else {
                    throw Malfunction("--repeat wants a number above 0\n\(Self.usage)", isUsage: true)
                }
                repetitions = number
            default:
                guard let benchmark = Benchmark(rawValue: argument) else {
                    throw Malfunction("'\(argument)' is nothing to measure\n\(Self.usage)", isUsage: true)
                }
                benchmarks.append(benchmark)
            }
        }
        if benchmarks.isEmpty { throw Malfunction("nothing to measure\n\(Self.usage)", isUsage: true) }
        for program in [devmesh, fixture] where Kernel.real.status(program)?.isExecutable != true {
            throw Malfunction("there is no program at \(program): build it first\n\(Self.usage)", isUsage: true)
        }
    }

    private static func value(of flag: String, _ rest: inout ArraySlice<String>) throws(Malfunction) -> String {
        guard let value = rest.popFirst() else {
            throw Malfunction("\(flag) wants a value\n\(usage)", isUsage: true)
        }
        return value
    }
}
