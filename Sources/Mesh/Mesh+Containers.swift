import Manifest
import Plan
import Platform
import Proxy
import Supervisor

/// The edges of services that run in containers.
extension Mesh {
    /// Opens them where containers can reach them; once it is known where that is.
    func openToContainers() {
        guard let bridge else { return }
        let specs = plan.services.filter { $0.service.container != nil }.flatMap(\.edges).map {
            FrontSpec(service: $0.target, caller: $0.caller, port: $0.port)
        }
        do throws(ProxyError) {
            try proxy.openToContainers(specs, at: bridge)
        } catch {
            // A daemon in a machine of its own, as Docker Desktop has it: there the loopback is in reach.
            if case .cannotListen(_, .addressNotAvailable) = error { return }
            hooks.notice(Sentences.unreachable(from: bridge, error.message))
        }
    }

    func isContainer(of caller: String, at address: String, _ done: @escaping (Bool) -> Void) {
        supervisor.isContainer(of: caller, at: address, done)
    }
}
