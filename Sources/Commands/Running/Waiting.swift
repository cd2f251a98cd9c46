import Control
import Manifest
import Project

/// Waits until an `up` has done what it was to do: every service named is ready or completed, or one has failed.
struct Waiting {
    var mesh: RunningMesh
    var services: Set<String>

    enum Outcome: Equatable {
        case done
        /// A service that failed, with its reason.
        case failed(String, reason: String?)
    }

    /// Looks, and then looks again whenever something happens; whatever happened before the stream of events began is
    /// told at its beginning, so nothing is missed.
    func run() throws(CommandFailure) -> Outcome {
        var outcome = try look()
        if let outcome { return outcome }
        var failure: CommandFailure?
        try mesh.ask { (client) throws(ControlError) in
            try client.events(follow: true) { event in
                guard event.service.map({ services.contains(UnitName.service(of: $0)) }) ?? true else { return true }
                do throws(CommandFailure) { outcome = try look() } catch { failure = error }
                return outcome == nil && failure == nil
            }
        }
        if let failure { throw failure }
        guard let outcome else { throw .failed(Sentences.wentDown(mesh.record.name)) }
        return outcome
    }

    private func look() throws(CommandFailure) -> Outcome? {
        let all = try mesh.ask { (client) throws(ControlError) in try client.services() }
        return Waiting.outcome(of: all.filter { services.contains($0.service) })
    }

    /// Nil: neither yet.
    static func outcome(of services: [ServiceStatus]) -> Outcome? {
        for service in services where ["failed", "unready"].contains(service.state) {
            return .failed(service.service, reason: service.reason)
        }
        // Somebody has stopped it meanwhile: it will not become ready by itself.
        for service in services where service.state == "stopped" {
            return .failed(service.service, reason: service.reason ?? Sentences.wasStopped)
        }
        return services.allSatisfy { ["ready", "completed"].contains($0.state) } ? .done : nil
    }
}
