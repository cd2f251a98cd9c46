import EventLoop
import Manifest
import Platform

/// One run of a probe's command, in the service's folder and with the instance's environment; ready on exit 0.
final class CommandProbe {
    private let trees: ProcessTrees
    private var process: ManagedProcess?
    private var timer: Timer?
    private var done: ((Result<Void, LaunchFailure>) -> Void)?

    /// - Parameter done: called once, on a later turn unless `cancel` comes first.
    init(
        _ command: Command, of service: Service, environment: [String: String], marker: String, limit: Duration,
        on loop: EventLoop, trees: ProcessTrees, done: @escaping (Result<Void, LaunchFailure>) -> Void
    ) {
        self.trees = trees
        self.done = done
        do throws(LaunchFailure) {
            let request = try Launch.request(
                command, "command", of: service, environment: environment, kernel: loop.kernel)
            start(request, of: service, marker: marker, limit: limit, on: loop)
        } catch {
            let failure = error
            loop.later { [weak self] in self?.finish(.failure(failure)) }
        }
    }

    private func start(
        _ request: SpawnRequest, of service: Service, marker: String, limit: Duration, on loop: EventLoop
    ) {
        timer = loop.after(limit) { [weak self] in
            self?.finish(.failure(LaunchFailure(sentence: "its command did not end within \(limit.inWords)")))
        }
        trees.spawn(request, marker: marker) { [weak self, trees] result in
            switch result {
            case .failure(let failure):
                self?.finish(.failure(LaunchFailure(sentence: Launch.sentence(failure, request, of: service))))
            case .success(let (process, _)):
                guard let self, done != nil else { return trees.kill(process) }
                started(process)
            }
        }
    }

    private func started(_ process: ManagedProcess) {
        self.process = process
        process.onExit = { [weak self] status, _ in
            self?.endProcess()
            self?.finish(
                status.isSuccess
                    ? .success(()) : .failure(LaunchFailure(sentence: "its command: \(status.inWords)")))
        }
    }

    func cancel() {
        done = nil
        timer?.cancel()
        endProcess()
    }

    private func endProcess() {
        if let process { trees.kill(process) }
        process = nil
    }

    private func finish(_ result: Result<Void, LaunchFailure>) {
        let done = self.done
        cancel()
        done?(result)
    }
}
