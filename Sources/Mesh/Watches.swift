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
    /// Of units that the manifest wants watched, from their first build on.
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
        guards[unit, default: FlapGuard()].judge(change)
    }

    /// What of its own doing is left out.
    func leftOut(_ unit: String) -> [String] { guards[unit]?.leftOut ?? [] }

    mutating func heard(_ unit: String, _ happening: ServiceMachine.Happening) {
        switch happening {
        case .buildStarted: guards[unit, default: FlapGuard()].buildBegan(at: .now)
        case .started: guards[unit, default: FlapGuard()].processBegan(at: .now)
        case .buildSucceeded: guards[unit]?.buildEnded(at: .now)
        case .becameReady, .buildFailed: guards[unit]?.processEnded(at: .now)
        case .exited: guards[unit]?.processExited(at: .now)
        case .scaled, .switched: break
        }
    }
}

extension WatchRequest {
    /// - Parameter manifest: what it and its envFiles say is heeded by itself.
    init(_ service: Service, _ rules: WatchRules, of manifest: Manifest) {
        self.init(
            folder: (try? Kernel.real.realPath(service.directory)) ?? service.directory, paths: rules.paths,
            ignore: rules.ignore, without: Set(Self.files(of: manifest)),
            debounce: rules.debounce, leavesOutPrograms: service.build != nil)
    }

    /// The manifest and the envFiles that it names.
    init(_ manifest: Manifest, debounce: Duration) {
        self.init(folder: manifest.directory, paths: [], files: Self.files(of: manifest), debounce: debounce)
    }

    private static func files(of manifest: Manifest) -> [String] {
        var files: [String] = [manifest.path]
        let units = manifest.services + manifest.services.flatMap { $0.versions.map(\.service) }
        for variable in manifest.variables + units.flatMap(\.variables) {
            if case .file(let path, _) = variable.source, !files.contains(path) { files.append(path) }
        }
        return files
    }
}
