import EventLoop
import Platform

/// Edges that containers call: they can't reach this machine's loopback, so these listen at the address of their bridge,
/// too, and take what comes from the caller's own containers alone.
extension Proxy {
    /// Listens there on these edges, and on no others.
    /// - Throws: for the first that can't be opened; the others are open.
    public func openToContainers(_ specs: [FrontSpec], at host: String) throws(ProxyError) {
        for front in containerFronts where !specs.contains(front.spec) { front.close() }
        containerFronts.removeAll { !specs.contains($0.spec) }
        var failure: ProxyError?
        for spec in specs where !containerFronts.contains(where: { $0.spec == spec }) {
            guard let address = SocketAddress(literal: host, port: spec.port) else { continue }
            do throws(ProxyError) {
                containerFronts.append(
                    try Front(spec, at: address, on: loop) { [unowned self] in admit($0, spec) })
            } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func admit(_ descriptor: consuming Descriptor, _ spec: FrontSpec) {
        guard let service = spec.service, let caller = spec.caller, let delegate,
            let address = loop.kernel.peerAddress(descriptor)
        else { return }
        // Held while it is found out.
        let raw = descriptor.release()
        delegate.isContainer(of: caller, at: address.host) { [weak self] isIts in
            let descriptor = Descriptor(owning: raw)
            guard isIts, let self else { return }
            destination(service).accept(descriptor, caller: caller, isV6: false, isVouchedFor: true)
        }
    }
}
