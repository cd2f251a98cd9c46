import Manifest
import Platform
import Supervisor
import Watch

/// Which files are watched, and what came of it.
struct Watches {
    /// Nil until services have been started: nothing waits for it.
    var hub: WatchHub?
    /// Whether `watch` of the manifest counts, and the manifest itself is watched.
    var isOn: Bool
    /// Whether that is over which no file was watched at first.
    var hasBegun = false
    /// What the hub was asked for, by unit.
    var requests: [String: WatchRequest] = [:]
    /// The manifest and the envFiles that it names.
    var files: Set<String> = []
    /// The envFiles of a manifest that was refused, one of which may still come; nil where the latest was not.
    var wantedFiles: Set<String>?
    /// What each unit is at, from its first build or start on.
    private var guards: [String: FlapGuard] = [:]
    /// The latest change of each unit's files.
    var latest: [String: (summary: String, time: WallTime)] = [:]

    /// Under which the manifest is watched; no unit is called so.
    static let manifest = ""
    static let manifestDebounce = Duration.milliseconds(100)
    /// Watching begins so long after the services: what was changed meanwhile is found nevertheless.
    static let delay = Duration.milliseconds(250)

    init(isOn: Bool) {
        self.isOn = isOn
    }

    mutating func forget(_ unit: String) {
        requests[unit] = nil
        guards[unit] = nil
        latest[unit] = nil
    }

    /// What was left out may count by now.
    mutating func judgeAnew(_ unit: String) { guards[unit] = nil }

    mutating func judge(_ unit: String, _ change: WatchChange) -> FlapGuard.Verdict {
        guards[unit, default: FlapGuard()].judge(change, at: .now)
    }

    /// What of its own doing is left out.
    func leftOut(_ unit: String) -> FlapGuard.LeftOut? { guards[unit]?.leftOut }

    mutating func heard(_ unit: String, _ happening: ServiceMachine.Happening) {
        switch happening {
        case .buildStarted: guards[unit, default: FlapGuard()].buildBegan(at: .now)
        case .started: guards[unit, default: FlapGuard()].processBegan(at: .now)
        case .buildSucceeded: guards[unit]?.buildEnded(at: .now)
        case .buildFailed: guards[unit]?.buildFailed(at: .now)
        case .becameReady: guards[unit]?.processReady(at: .now)
        case .exited, .scaled, .switched: break
        }
    }
}

extension WatchRequest {
    /// - Parameter files: the manifest and its envFiles, which are heeded by themselves.
    init(_ service: Service, _ rules: WatchRules, without files: Set<String>) {
        self.init(
            folder: Self.place(service.directory), paths: rules.paths, ignore: rules.ignore,
            without: Set(files.map(Self.place)), debounce: rules.debounce, leavesOutPrograms: service.build != nil)
    }

    private static func place(_ path: String) -> String { (try? Kernel.real.realPath(path)) ?? path }
}

extension Manifest {
    /// It and the envFiles that it names.
    var files: Set<String> {
        var files: Set = [path]
        let units = services + services.flatMap { $0.versions.map(\.service) }
        for variable in variables + units.flatMap(\.variables) {
            if case .file(let path, _) = variable.source { files.insert(path) }
        }
        return files
    }
}
