import EventLoop
import Manifest
import Platform

/// One program of a build.
struct BuildStep {
    /// Nil where there is nothing to do.
    var request: () throws(LaunchFailure) -> SpawnRequest?
    /// Whether what it prints is the build's output.
    var isShown = true
    /// Why it failed, as a sentence.
    var failure: (ExitStatus) -> String
    var succeeded: () -> Void = {}
}

/// Building: one program after another, the last of them the service's `build`.
///
///     git rev-parse → git worktree add, or git checkout → git submodule update → make          with a git ref
extension ServiceRunner {
    func startBuild(_ number: Int) {
        let build = LocalBuild(number, source: OutputSource(service: name, instance: nil, generation: number))
        self.build = build
        build.slot = workshop.buildSlots.enter { [weak self, weak build, slots = workshop.buildSlots] in
            guard let self, let build else { return slots.leave() }
            build.takeSlot(of: slots)
            begin(build)
        }
    }

    private func begin(_ build: LocalBuild) {
        send(.buildBegan(build.number))
        let environment = workshop.environment(service, 1, nil)
        var steps: [BuildStep] = []
        if let command = service.build { steps.append(step(command, service, environment)) }
        guard let checkout = service.checkout else { return run(steps[...], of: build) }
        steps = workshop.worktrees.steps(to: checkout, for: service, environment) + steps
        workshop.worktrees.whenFree(checkout.worktree) { [weak self] in self?.run(steps[...], of: build) }
    }

    private func marker(of build: LocalBuild) -> String { workshop.marker("\(name).build#\(build.number)") }

    private func step(_ command: Command, _ service: Service, _ environment: [String: String]) -> BuildStep {
        let kernel = loop.kernel
        return BuildStep(
            request: { () throws(LaunchFailure) in
                try Launch.request(command, "build", of: service, environment: environment, kernel: kernel)
            }, failure: { "the build of \(service.name) failed: \($0.inWords)" })
    }

    private func run(_ steps: ArraySlice<BuildStep>, of build: LocalBuild) {
        if build.isCancelled { return buildEnded(build, .cancelled) }
        guard let step = steps.first else { return buildEnded(build, .succeeded) }
        let rest = steps.dropFirst()
        do throws(LaunchFailure) {
            guard let request = try step.request() else { return run(rest, of: build) }
            launch(request, marker: marker(of: build), source: step.isShown ? build.source : nil) {
                [weak self] result in
                switch result {
                case .success(let process): self?.launched(build, process, step, rest)
                case .failure(let failure):
                    self?.buildEnded(build, build.isCancelled ? .cancelled : .failed(reason: failure.sentence))
                }
            }
        } catch { buildEnded(build, .failed(reason: error.sentence)) }
    }

    private func launched(
        _ build: LocalBuild, _ process: ManagedProcess, _ step: BuildStep, _ rest: ArraySlice<BuildStep>
    ) {
        build.process = process
        process.onExit = { [weak self] status, others in self?.exited(build, status, others, step, rest) }
        process.onGone = { [weak self] in self?.buildEnded(build, .cancelled) }
        if build.isCancelled { end(process, kill: build.isKilled) }
    }

    func cancelBuild(_ number: Int, kill: Bool) {
        guard let build, build.number == number else { return }
        build.isCancelled = true
        build.isKilled = build.isKilled || kill
        if let process = build.process { return end(process, kill: kill) }
        if kill {
            let marker = marker(of: build)
            workshop.trees.killStarting { started, _ in started == marker }
        }
        if let slot = build.slot, workshop.buildSlots.forget(slot) { buildEnded(build, .cancelled) }
    }

    private func end(_ process: ManagedProcess, kill: Bool) {
        if kill { return workshop.trees.kill(process) }
        workshop.trees.signal(process, .terminate, .tree)
        loop.after(.seconds(2)) { [trees = workshop.trees] in trees.kill(process) }
    }

    private func exited(
        _ build: LocalBuild, _ status: ExitStatus, _ others: Int, _ step: BuildStep, _ rest: ArraySlice<BuildStep>
    ) {
        workshop.delegate?.outputEnded(build.source)
        if build.isCancelled {
            if others == 0 { buildEnded(build, .cancelled) }
            return
        }
        // What it leaves behind, as a compiler's server, may serve the next build; it ends with the mesh.
        build.process?.onGone = nil
        build.process = nil
        guard status.isSuccess else { return buildEnded(build, .failed(reason: step.failure(status))) }
        step.succeeded()
        run(rest, of: build)
    }

    private func buildEnded(_ build: LocalBuild, _ result: ServiceMachine.BuildResult) {
        self.build = nil
        build.leaveSlot()
        send(.buildEnded(build.number, result))
    }
}
