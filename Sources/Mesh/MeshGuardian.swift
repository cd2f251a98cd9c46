import Logs
import Platform
import Project
import Supervisor

/// What the guardian does while the mesh is up, and the process that the user started: each waits for the next one's end.
///
///     in order     it ends with the same exit code
///     else         it KILLs what is left, stores what is in the pipes, says so, withdraws the mesh, and ends with 1
struct MeshGuardian {
    private let guardian: Guardian
    private let lease: SupervisorLease
    private let unstored: UnstoredOutput

    /// After which what SIGKILL has not ended is named and left.
    private static let patience = Duration.seconds(5)

    init(_ guardian: Guardian, _ lease: SupervisorLease, _ unstored: UnstoredOutput) {
        self.guardian = guardian
        self.lease = lease
        self.unstored = unstored
    }

    func run() -> Never {
        let began = WallTime.now
        var guardian = guardian
        let end = guardian.wait()
        // The other one has done what follows.
        if case .ended(.exited(let code)) = end, guardian.hasSecond { ThisProcess.exit(code) }
        let crash = crash(end)
        // Before nobody answers any more: whoever asks then is to see that the mesh is ending.
        if let crash { Journal.noteEnd(of: lease.project, crash) }
        // Whoever talked to it need not wait, and what follows may need descriptors.
        if end != .ended(.exited(0)) { guardian.closeSockets() }
        let left = guardian.end(patience: Self.patience, sparing: Supervisor.isAside)
        if let crash { afterCrash(crash, left, since: began) }
        switch end {
        case .ended(.exited(let code)): ThisProcess.exit(code)
        case .ended(.signalled(let signal)): ThisProcess.end(by: signal)
        case .orphaned: ThisProcess.exit(1)
        }
    }

    /// What has become of the mesh, as a sentence; nil where it ended in order.
    private func crash(_ end: Guardian.End) -> String? {
        switch end {
        case .ended(.exited(let code)):
            // It may have ended without having stopped what it had started.
            Journal.isOpen(lease.project, of: guardian.child) ? Sentences.supervisorGaveUp(code) : nil
        // It was told to end before it listened: nothing had been started.
        case .ended(.signalled(let signal)) where MeshProcess.ends.contains(signal): nil
        case .ended(.signalled) where guardian.hasSecond: Sentences.guardianEnded
        case .ended(.signalled(let signal)): Sentences.supervisorEnded(signal)
        case .orphaned: Sentences.firstProcessEnded
        }
    }

    private func afterCrash(_ how: String, _ left: [ProcessEntry], since began: WallTime) -> Never {
        let project = lease.project
        let lost = LogRescue.run(unstored, folder: project.logsFolder, ending: Sentences.endedWithSupervisor(how))
        let containers = LeftContainers.remove(of: project) ? [] : [Sentences.containersLeft(project)]
        lease.withdraw()
        let report = MeshProcess.crashReport(of: project, since: began)
        TerminalSettings.leave()
        // Nobody who wants the mesh waits for what follows, which a terminal may hold up.
        lease.release()
        let lines =
            Sentences.isDown(how, left: left, report: report)
            + containers + lost.map { Sentences.lastLinesLost($0.service, $0.error) }
        for line in lines {
            // Where standard error is gone as well, nobody is left to tell.
            try? StandardStream.error.write("devmesh: \(line)\n")
        }
        ThisProcess.exit(1)
    }
}
