import Control
import EventLoop
import Supervisor

/// Someone who waits until services have reached a state.
final class Waiter {
    let services: [String]
    let condition: WaitRequest.Condition
    private var done: ((_ timedOut: Bool) -> Void)?
    private var timer: Timer?

    init(
        services: [String], condition: WaitRequest.Condition, timeout: Duration?, on loop: EventLoop,
        done: @escaping (_ timedOut: Bool) -> Void
    ) {
        self.services = services
        self.condition = condition
        self.done = done
        timer = timeout.map { loop.after($0) { [weak self] in self?.end(timedOut: true) } }
    }

    var isWaiting: Bool { done != nil }

    func end(timedOut: Bool) {
        timer?.cancel()
        let told = done
        done = nil
        told?(timedOut)
    }

    /// Nobody wants to know any more.
    func forget() {
        timer?.cancel()
        done = nil
    }
}

extension WaitRequest.Condition {
    /// Whether a service in `state` has come so far. One that has completed has been ready, and started.
    func isMet(by state: ServiceState) -> Bool {
        switch self {
        case .ready: state == .ready || state == .completed
        case .started: [.starting, .ready, .unready, .completed].contains(state)
        case .completed: state == .completed
        case .stopped: [.stopped, .completed, .failed].contains(state)
        }
    }
}
