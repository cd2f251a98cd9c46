import Manifest
import Plan
import Platform
import Project

/// A manifest that has been read and planned for one `up`.
struct Planned {
    var plan: Plan
    var selection: Selection
    var choices: RuntimeChoices
    var claimedPorts: Set<Int>
    /// Sentences for the user, as of warnings in the manifest.
    var notices: [String]

    /// Reads the manifest and what earlier commands chose, and decides ports and targets. Nothing is started.
    /// - Parameter onRead: called with the path of each envFile, there or not.
    init(
        _ project: LocatedProject, places: Places, services: [String]?, local: [String]?,
        environment: [String: String], kernel: Kernel, onRead: @escaping (String) -> Void = { _ in }
    ) throws(MeshError) {
        let read = try Self.asked { () throws(ProjectError) in
            try project.readManifest(
                environment: environment, currentDirectory: environment["PWD"] ?? project.directory, kernel: kernel,
                onRead: onRead)
        }
        let manifest: Manifest
        switch read {
        case .valid(let valid, let warnings):
            manifest = valid
            notices = warnings.map(\.description)
        case .invalid(let diagnostics): throw .manifest(diagnostics.map(\.description))
        }
        let outcome = try Self.asked { () throws(ProjectError) in
            try project.plan(manifest, environment: environment, places: places, kernel: kernel)
        }
        let chosen = try Self.asked { () throws(ProjectError) in try RuntimeChoices.read(project, kernel: kernel) }
        plan = outcome.plan
        claimedPorts = outcome.claimedPorts
        choices = chosen.choices
        for (service, target) in choices.targets.sorted(by: { $0.key < $1.key }) {
            if case .git(let ref) = target { plan.addVersion(git: ref, to: service) }
        }
        for (service, refs) in choices.refs.sorted(by: { $0.key < $1.key }) {
            for ref in refs { plan.addVersion(git: ref, to: service) }
        }
        project.placeCheckouts(in: &plan, kernel: kernel)
        notices += [outcome.note, chosen.note].compactMap { $0 }
        do throws(PlanError) {
            selection =
                if let local {
                    try plan.localSelection(of: local)
                } else if let services {
                    try plan.selection(of: services)
                } else {
                    plan.wholeSelection
                }
        } catch { throw .project(.plan(error)) }
    }

    /// Refuses to go on where somebody else has a port that is needed.
    /// - Parameter held: ports that this mesh itself listens on already.
    func checkFree(_ project: LocatedProject, _ places: Places, besides held: Set<Int> = [], _ kernel: Kernel)
        throws(MeshError)
    {
        try Self.asked { () throws(ProjectError) in
            try project.checkFree(plan, besides: held, places: places, kernel: kernel)
        }
    }

    private static func asked<T>(_ body: () throws(ProjectError) -> T) throws(MeshError) -> T {
        do throws(ProjectError) { return try body() } catch { throw .project(error) }
    }
}
