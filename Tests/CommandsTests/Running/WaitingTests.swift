import Control
import Testing

@testable import Commands

struct WaitingTests {
    static func status(_ name: String, _ state: String, reason: String? = nil) -> ServiceStatus {
        ServiceStatus(
            service: name, state: state, target: "local", address: nil, url: nil, reason: reason, instances: [])
    }

    @Test func outcome_allReadyOrCompleted_isDone() {
        #expect(Waiting.outcome(of: [Self.status("a", "ready"), Self.status("b", "completed")]) == .done)
    }

    @Test(arguments: ["pending", "building", "starting", "stopping"])
    func outcome_oneOnItsWay_isNone(state: String) {
        #expect(Waiting.outcome(of: [Self.status("a", "ready"), Self.status("b", state)]) == nil)
    }

    @Test func outcome_oneStoppedMeanwhile_isFailed() {
        let services = [Self.status("a", "ready"), Self.status("b", "stopped")]
        #expect(Waiting.outcome(of: services) == .failed("b", reason: "it was stopped"))
    }

    @Test(arguments: ["failed", "unready"]) func outcome_oneFailed_isFailedAtOnce(state: String) {
        let services = [Self.status("a", "starting"), Self.status("b", state, reason: "exit code 1")]
        #expect(Waiting.outcome(of: services) == .failed("b", reason: "exit code 1"))
    }
}
