import Manifest
import Platform

/// One process of an instance, with what goes with it.
final class LocalRun {
    let key: RunKey
    let source: OutputSource
    let process: ManagedProcess
    let port: Int?
    let container: ContainerRun?
    let started = WallTime.now
    private(set) var prober: Prober?
    private let watchesLog: Bool
    /// Whether it has ever been ready.
    private(set) var hasPassed = false

    init(
        _ key: RunKey, source: OutputSource, subject: Prober.Subject, in workshop: Workshop,
        onVerdict: @escaping (Prober.Verdict) -> Void
    ) {
        self.key = key
        self.source = source
        process = subject.process
        port = subject.port
        container = subject.container
        if case .log = subject.service.ready.kind { watchesLog = true } else { watchesLog = false }
        prober = Prober(subject, on: workshop.loop, trees: workshop.trees, listeners: workshop.listeners) {
            [weak self] verdict in
            if case .passed = verdict { self?.hasPassed = true }
            onVerdict(verdict)
        }
    }

    func probeReady() { prober?.probeReady() }

    func stopProbes(in workshop: Workshop) {
        prober?.stop()
        prober = nil
        if watchesLog { workshop.delegate?.cancelLogWatch(source) }
    }
}

/// One run of a build.
final class LocalBuild {
    let number: Int
    let source: OutputSource
    /// Nil until it has been started.
    var process: ManagedProcess?
    /// Its place among the builds of all services, and whether its turn has come.
    var slot: Int?
    private(set) var heldSlots: BuildSlots?
    var isCancelled = false
    /// Cancelled without waiting for it.
    var isKilled = false

    init(_ number: Int, source: OutputSource) {
        self.number = number
        self.source = source
    }

    /// Whoever runs it may be gone before it ends.
    deinit { leaveSlot() }

    func takeSlot(of slots: BuildSlots) { heldSlots = slots }

    func leaveSlot() {
        let slots = heldSlots
        heldSlots = nil
        slots?.leave()
    }
}
