import EventLoop
import Logs
import Platform
import Project
import Proxy
import Supervisor

/// The supervisor: what `devmesh up` is once it has found no mesh to follow.
public enum MeshProcess {
    /// Brings a mesh up and keeps it up until it is told to end.
    ///
    /// ^C, SIGTERM and SIGHUP are a graceful down; a second ^C kills.
    ///
    /// - Returns: the exit code: 0 after a graceful end, 1 after a kill.
    /// - Throws: where it could not come up; then nothing was started.
    public static func run(
        _ lease: SupervisorLease, _ options: MeshOptions, _ hooks: MeshHooks, kernel: Kernel = .real
    ) throws(MeshError) -> Int32 {
        // The lease ends with this process and not before: whoever waits for it, as `down` does, finds nothing left.
        _ = Unmanaged.passRetained(lease)
        Signal.pipe.ignore()
        ThisProcess.raiseOpenFiles()
        ThisProcess.reserveDescriptorTable()
        let unstored = try attempt { () throws(Errno) in try UnstoredOutput() }
        switch Guardian.split(group: lease.project.controlGroupPrefix) {
        case .guardian(let guardian): MeshGuardian(guardian, lease, unstored).run()
        case .supervisor(let group):
            return try attempt { () throws(Errno) in
                try PlatformThread.takeOver("mesh") {
                    ControlGroup.own = group
                    return Result { () throws(MeshError) in
                        try supervise(lease, options, hooks, unstored, kernel)
                    }
                }
            }.get()
        case .alone:
            hooks.notice(Sentences.isUnguarded)
            return try supervise(lease, options, hooks, unstored, kernel)
        }
    }

    /// What tells a mesh to end.
    static let ends: [Signal] = [.interrupt, .terminate, .hangup]

    private static func supervise(
        _ lease: SupervisorLease, _ options: MeshOptions, _ hooks: MeshHooks, _ unstored: UnstoredOutput,
        _ kernel: Kernel
    ) throws(MeshError) -> Int32 {
        // With one processor it would keep those from it who are to answer.
        let isEager = ThisProcess.usableProcessors.count != 1
        let loop = try attempt { () throws(Errno) in try EventLoop(kernel: kernel, isEager: isEager) }
        // Before anything that may take its time: what comes meanwhile is heard once the loop runs.
        let heard = Heard()
        let signals = try attempt { () throws(Errno) in
            try SignalWatch(ends + [.windowSize], on: loop) { heard.arrived($0) }
        }
        ThisProcess.reportCrashes(
            to: lease.project.crashReport,
            about: "devmesh \(options.version), supervisor \(ThisProcess.id) of \(lease.project.manifest)\n")
        ThisProcess.becomeSubreaper()
        let found = clearUp(lease.project, kernel: kernel, onDelay: hooks.notice)
        let recovery = found.said + [found.left].compactMap { $0 }
        for notice in recovery { hooks.notice(notice) }
        let planned = try Planned(
            lease.project, places: lease.places, services: options.services, local: options.local,
            environment: options.environment, kernel: kernel)
        for notice in planned.notices { hooks.notice(notice) }
        let fronts = Set(planned.plan.frontSpecs.map(\.port))
        try planned.checkFree(lease.project, lease.places, besides: fronts, kernel)

        let mesh: Mesh
        do throws(MeshError) {
            mesh = try Mesh(
                on: loop, lease: lease, options: options, hooks: hooks, planned: planned, unstored: unstored)
            for notice in recovery { mesh.tell(nil, "recovered", notice) }
            try mesh.comeUp(planned)
        } catch {
            // Nothing has been started.
            Journal.remove(lease.project, kernel: kernel)
            throw error
        }
        heard.mesh = mesh
        try attempt { () throws(Errno) in try loop.run() }
        signals.close()
        hooks.ended()
        return mesh.wasKilled || mesh.left != nil ? 1 : 0
    }

    /// Ends what a crash left running, and says what happened; for the holder of the project's lease.
    /// - Parameter onDelay: told what it waits for, where that takes longer than a moment.
    /// - Returns: sentences for people, and one about what would not end.
    public static func clearUp(
        _ project: LocatedProject, kernel: Kernel = .real, onDelay: (String) -> Void
    ) -> (said: [String], left: String?) {
        let hadContainers = LeftContainers.areNoted(of: project, kernel: kernel)
        let hasContainers = !LeftContainers.remove(of: project, kernel: kernel) {
            onDelay(Sentences.containersAwaited($0, $1))
        }
        let marker = Supervisor.marker(ofProject: project.hash)
        let leftovers = Leftovers.clear(project, marker: marker, kernel: kernel)
        let report = leftovers?.began.flatMap { crashReport(of: project, since: $0.time, kernel: kernel) }
        var said = leftovers.map { Sentences.recovered($0, report: report) } ?? []
        if hadContainers, !hasContainers { said.append(Sentences.containersTaken) }
        return (said, Sentences.left(leftovers?.left ?? [], hasContainers: hasContainers, of: project))
    }

    /// The report that a supervisor left which began then; nil where it left none.
    static func crashReport(of project: LocatedProject, since: WallTime, kernel: Kernel = .real) -> String? {
        let report = kernel.status(project.crashReport)
        return report.flatMap { $0.modified >= since.microseconds * 1000 ? project.crashReport : nil }
    }

    private static func attempt<T>(_ body: () throws(Errno) -> T) throws(MeshError) -> T {
        do throws(Errno) { return try body() } catch { throw .failed(Sentences.cannotStart(error)) }
    }
}

/// Tells a mesh of the signals that its process gets.
private final class Heard {
    var mesh: Mesh?
    private var unpaired: [(arrival: SignalPipe.Arrival, time: Instant)] = []

    func arrived(_ arrival: SignalPipe.Arrival) {
        guard let mesh else { return }
        if arrival.signal == .windowSize {
            mesh.terminals.windowChanged()
        } else if !isSecondHalf(arrival) {
            // ^C is asked twice when it is meant.
            if arrival.signal == .interrupt, case .stopping = mesh.phase { mesh.kill() } else { mesh.stop() }
        }
    }

    /// A signal that comes twice within a moment on different ways, as one that a process sends to the whole group and
    /// that its guardians then hand on, is one. Whoever sends it twice in the same way means two.
    private func isSecondHalf(_ arrival: SignalPipe.Arrival) -> Bool {
        unpaired.removeAll { .now - $0.time > .milliseconds(100) }
        let first = unpaired.firstIndex { $0.arrival.signal == arrival.signal && $0.arrival != arrival }
        if let first { unpaired.remove(at: first) } else { unpaired.append((arrival, .now)) }
        return first != nil
    }
}
