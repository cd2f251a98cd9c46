import Control
import Manifest
import Plan
import Platform
import Project

/// What belongs to the project, and to this user's others.
extension Doctor {
    /// The plan, as far as there can be one, and what stands in its way.
    func ports(
        _ project: LocatedProject, _ manifest: Manifest, _ places: Places
    ) -> (plan: Plan?, findings: [Finding]) {
        let plan: Plan
        let registry: RegistryFile.Content
        do throws(ProjectError) {
            (plan, registry) = try project.draft(manifest, environment: environment, places: places, kernel: kernel)
        } catch { return (nil, [.problem("ports", error.description)]) }
        var findings: [Finding] = []
        if let note = registry.note { findings.append(.warning("ports", note, Sentences.mendRegistry)) }
        let mesh = MeshRecord.find(project, places: places, kernel: kernel)
        let probe = PortProbe(places: places, kernel: kernel)
        do throws(PlanError) {
            let own = mesh.flatMap { try? ControlClient(socket: $0.socket).ports() } ?? []
            try plan.checkPorts(besides: Set(own.map(\.port)), holder: probe.owner)
            let isGiven = registry.registry.project(manifest: project.manifest) != nil
            findings.append(.ok("ports", Sentences.ports(plan.listeners.map(\.port), isGiven: isGiven, mesh: mesh)))
        } catch {
            guard case .portsHeld(let held) = error else { return (plan, findings + [.problem("ports", "\(error)")]) }
            findings += held.map { .problem("ports", $0.fact, $0.advice) }
        }
        // Of a mesh that is up its own programs have them.
        for (port, service) in mesh == nil ? plan.insistedPorts.sorted(by: { $0.key < $1.key }) : [] {
            guard let owner = probe.owner(of: port) else { continue }
            findings.append(
                .problem("ports", Sentences.insistedPortHeld(port, service, owner), Sentences.freePort(owner)))
        }
        return (plan, findings)
    }

    /// What dead meshes and projects have left.
    func state(_ project: LocatedProject?, _ places: Places) -> [Finding] {
        var findings: [Finding] = []
        let sockets = { (try? kernel.list(places.runtime))?.count ?? 0 }
        let before = sockets()
        let meshes = MeshRecord.all(places, kernel: kernel)
        let removed = before - sockets()
        findings.append(.ok("meshes", Sentences.meshes(meshes.count, removed: removed)))
        if let registry = try? RegistryFile(places, kernel: kernel).read().registry {
            let gone = registry.projects.count { kernel.status($0.manifest) == nil }
            findings.append(.ok("registry", Sentences.registry(registry.projects.count, gone: gone)))
        }
        guard let project, !meshes.contains(where: { $0.manifest == project.manifest }) else { return findings }
        if Journal.exists(project, kernel: kernel) {
            findings.append(.warning("journal", Sentences.crashed, Sentences.mendCrash))
        }
        if LeftContainers.areNoted(of: project, kernel: kernel) {
            findings.append(.warning("containers", Sentences.leftContainers, Sentences.mendContainers))
        }
        let worktrees = (try? kernel.list(project.worktreesFolder)) ?? []
        if !worktrees.isEmpty {
            let detail = Sentences.leftWorktrees(worktrees.count, project.worktreesFolder)
            findings.append(.warning("worktrees", detail, Sentences.mendWorktrees))
        }
        return findings
    }

    /// Whether there is room to write, and leave to.
    func disk(_ project: LocatedProject?, _ places: Places) -> [Finding] {
        let folders = [project?.hiddenFolder, places.state, places.runtime].compactMap(\.self)
        var findings = folders.compactMap(unwritable)
        for folder in [project?.directory, places.state].compactMap(\.self) {
            guard let free = kernel.freeSpace(at: existing(folder)) else { continue }
            findings.append(Doctor.space(free, in: folder))
        }
        return findings
    }

    /// - Parameter free: bytes.
    static func space(_ free: Int, in folder: String) -> Finding {
        let detail = Sentences.space(free, folder)
        if free < 64 << 20 { return .problem("disk", detail, Shortage.disk.remedy) }
        return free < 1 << 30 ? .warning("disk", detail, Shortage.disk.remedy) : .ok("disk", detail)
    }

    private func unwritable(_ folder: String) -> Finding? {
        let nearest = existing(folder)
        guard kernel.status(nearest)?.kind == .directory else {
            return .problem("disk", Sentences.notAFolder(nearest, folder), Sentences.mendNotAFolder(nearest))
        }
        guard let error = kernel.refusal(toWriteIn: nearest) else { return nil }
        return .problem("disk", Sentences.unwritable(nearest, folder, error), Sentences.mendUnwritable(folder, error))
    }

    /// The nearest folder above, or what is in its place, where it is not there itself yet.
    private func existing(_ folder: String) -> String {
        var path = folder
        while kernel.status(path) == nil, path != "/" { path = Path.parent(path) }
        return path
    }
}
