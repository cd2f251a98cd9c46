import Control
import EventLoop
import Gateway
import Manifest
import Plan
import Platform
import Project
import Supervisor
import Watch

/// Files that change: services are built and restarted, and the mesh follows its manifest.
///
///     edit ─▶ WatchHub ─▶ FlapGuard: whose doing? ─▶ Supervisor: build, then swap
///                └─▶ services.json, envFiles ─▶ what differs is touched, nothing else
extension Mesh {
    /// Begins to watch once everything has been started, and not on its way.
    func beginWatching() {
        loop.after(Watches.delay) { [unowned self] in
            guard case .running = phase else { return }
            watch(since: startedAt)
            watches.hasBegun = true
        }
    }

    /// Watches what is to be watched by now.
    /// - Parameter since: what changed later counts; from the mesh's beginning, where nothing was watched yet.
    private func watch(since: WallTime) {
        let since = watches.hasBegun ? since : startedAt
        guard watches.isOn || choices.watches.values.contains(true) || watches.hub != nil else { return }
        if let failure = openHub() { hooks.notice(Sentences.cannotWatch(failure)) }
        watchManifest(since: since)
        for unit in Set(plan.units.map(\.name)).union(watches.requests.keys) where unit != Watches.manifest {
            watch(unit, since: since)
        }
    }

    /// Makes ready for requests.
    /// - Returns: why there is no hub.
    private func openHub() -> Errno? {
        watches.files = plan.manifest.files
        guard watches.hub == nil else { return nil }
        let bound = LoopBound(self, loop)
        let remote = loop.remote
        do throws(Errno) {
            watches.hub = try WatchHub(kernel: loop.kernel) { sentence in
                remote.post { _ in bound.value.hooks.notice(sentence) }
            }
            return nil
        } catch { return error }
    }

    func syncWatches() {
        if watches.hasBegun { watch(since: .now) }
    }

    private func watchManifest(since: WallTime) {
        let request = WatchRequest(
            folder: project.directory, paths: [], files: watches.files.union(watches.wantedFiles ?? []).sorted(),
            debounce: Watches.manifestDebounce)
        ask(Watches.manifest, watches.isOn ? request : nil, since: since) { mesh, _ in mesh.manifestChanged() }
    }

    /// It may have been stopped, or started.
    func watchWhileWanted(_ unit: String) {
        if (watches.requests[unit] != nil) != supervisor.isWanted(unit) { watch(unit) }
    }

    /// Watches the files of a unit that is wanted, no longer those of one that isn't.
    private func watch(_ unit: String, since: WallTime = .now) {
        guard watches.hub != nil else { return }
        var request: WatchRequest?
        if let service = plan.unit(unit)?.service, isWatched(service), supervisor.isWanted(unit) {
            request = WatchRequest(service, service.watch ?? WatchRules(), without: watches.files)
        }
        ask(unit, request, since: since) { mesh, change in mesh.filesChanged(unit, change) }
    }

    private func ask(
        _ name: String, _ request: WatchRequest?, since: WallTime, _ changed: @escaping (Mesh, WatchChange) -> Void
    ) {
        guard let hub = watches.hub, watches.requests[name] != request else { return }
        guard let request else {
            hub.unwatch(name)
            return watches.forget(name)
        }
        if watches.requests[name] != nil { watches.judgeAnew(name) }
        watches.requests[name] = request
        let bound = LoopBound((mesh: self, changed: changed), loop)
        hub.watch(name, request, since: since, on: loop.remote) { _, change in
            let (mesh, changed) = bound.value
            guard case .running = mesh.phase, mesh.watches.requests[name] != nil else { return }
            changed(mesh, change)
        }
    }

    /// Whether its files are to be watched while it is up. What devmesh itself checks out nobody edits.
    private func isWatched(_ service: Service) -> Bool {
        guard service.checkout == nil, service.runsHere else { return false }
        return choices.watches[service.name] ?? (watches.isOn && service.watch != nil)
    }

    // MARK: Changes

    private func filesChanged(_ unit: String, _ change: WatchChange) {
        guard let planned = plan.unit(unit) else { return }
        guard supervisor.usesLocal(unit) else { return supervisor.filesChanged(unit, cancelsBuild: false) }
        switch watches.judge(unit, change) {
        case .rebuild(let cancels):
            watches.latest[unit] = (change.summary, .now)
            tell(unit, "files-changed", change.summary)
            let builds = planned.service.build != nil
            note(unit, instance: nil, Sentences.filesChanged(change.summary, builds: builds))
            supervisor.filesChanged(unit, cancelsBuild: cancels)
        case .leaveOut(let isNew):
            guard isNew, let sentence = suspended(planned) else { return }
            tell(unit, "watch-suspended", sentence)
            note(unit, instance: nil, sentence)
        }
    }

    /// That something of its own doing is left out, if so.
    private func suspended(_ planned: ServicePlan) -> String? {
        watches.leftOut(planned.name).map { Sentences.watchSuspended($0, builds: planned.service.build != nil) }
    }

    /// What `why` says of a unit's files.
    func watchDetails(_ planned: ServicePlan) -> [String] {
        let unit = planned.name
        var lines: [String] = []
        if let request = watches.requests[unit] {
            lines.append("its files are watched: \(request.paths.joined(separator: ", "))")
            if let sentence = suspended(planned) { lines.append(sentence) }
        } else if planned.service.watch != nil, planned.service.checkout == nil, supervisor.isWanted(unit) {
            lines.append(Sentences.notWatched(unit, isOff: choices.watches[unit] == false || !watches.isOn))
        }
        if let (summary, time) = watches.latest[unit] {
            lines.append(Sentences.filesChanged(summary, at: time, builds: planned.service.build != nil))
        }
        return lines
    }

    /// `devmesh watch SERVICE on|off`.
    func watch(_ name: String, _ request: WatchSwitch, _ call: ControlCall, done: @escaping Done<ActionResult>) {
        guard isRunning(done), let planned = known(unit(name), name, done) else { return }
        let service = planned.service
        var result = ActionResult(service: service.name, ok: true)
        if request.isOn, !service.runsHere || service.checkout != nil {
            result.ok = false
            result.reason = Sentences.cannotWatch(service.name, isCheckout: service.checkout != nil)
            return done(.success(result))
        }
        if request.isOn, let failure = openHub() {
            result.ok = false
            result.reason = Sentences.cannotWatch(failure)
            return done(.success(result))
        }
        let isManifests = request.isOn == (watches.isOn && service.watch != nil)
        choices.watches[service.name] = isManifests ? nil : request.isOn
        result.reason = keepChoices()
        // What was left out may have been mended.
        if request.isOn { watches.judgeAnew(service.name) }
        watch(service.name)
        done(.success(result))
    }

    // MARK: The manifest

    /// Follows the manifest, or says why not: then nothing is touched.
    private func manifestChanged() {
        let name = project.fileName
        let began = WallTime.now
        var tried: Set<String> = []
        do throws(MeshError) {
            var planned = try Planned(
                project, places: places, services: nil, local: nil, environment: environment, kernel: loop.kernel
            ) { tried.insert($0) }
            planned.selection = kept(planned)
            try checkFree(planned)
            let (before, wasRefused) = (plan, watches.wantedFiles != nil)
            watches.wantedFiles = nil
            try take(planned, .follow) { [unowned self] report in
                for failure in report.failed {
                    hooks.notice(Sentences.couldNotFollow(name, failure.service, failure.reason))
                }
            } began: { [unowned self] report in
                guard plan != before || wasRefused else { return }
                let what = Sentences.followed(report)
                tell(nil, "manifest-changed", what)
                hooks.notice(Sentences.manifestChanged(name, what))
            }
        } catch {
            let lines = error.lines.map { masking($0) }
            tell(nil, "manifest-refused", lines.first)
            hooks.notice(Sentences.manifestRefused(name))
            for line in lines { hooks.notice(line) }
            // A file may mend it that is still missing.
            watches.wantedFiles = tried
            watchManifest(since: began)
        }
    }

    /// What is selected stays as it is, unless the manifest now says otherwise of it; what is new is as this `up` has
    /// the others.
    private func kept(_ planned: Planned) -> Selection {
        var kept = planned.selection
        kept.roles = kept.roles.map { name, role in
            guard let before = plan.service(name)?.service, let now = planned.plan.service(name)?.service else {
                return (name, selectsAll || role == .remote ? role : .idle)
            }
            let old = selection[name]
            guard let target = old.target else { return (name, .idle) }
            return (name, before.target == now.target && now.targets.contains(target) ? old : role)
        }
        return kept
    }
}

extension MeshError {
    var lines: [String] {
        switch self {
        case .manifest(let lines): lines
        case .project(let error): [error.description]
        case .failed(let sentence): [sentence]
        }
    }
}
