import Manifest
import Plan
import Platform

/// What services that run elsewhere need.
extension Doctor {
    /// - Parameter plan: nil where there is no valid manifest.
    func tls(_ plan: Plan?) -> [Finding] {
        let remotes = (plan?.services ?? []).compactMap { $0.service.remote }.filter { $0.scheme == .https }
        // Whoever has no use for it can do without.
        let state = remotes.isEmpty ? Finding.State.warning : .problem
        let system: TLSSystem
        do throws(TLSError) { system = try TLSSystem() } catch {
            return [Finding(check: "tls", state: state, detail: Sentences.noTLS, remedy: error.message)]
        }
        let file = environment["SSL_CERT_FILE"] ?? system.trustFile
        let folder = environment["SSL_CERT_DIR"] ?? system.trustFolder
        guard let trust = trust(file: file, folder: folder) else {
            let needsIt = remotes.contains { $0.tls?.ca == nil && $0.tls?.isInsecure != true }
            return [
                .ok("tls", system.version),
                Finding(
                    check: "tls", state: needsIt ? .problem : .warning, detail: Sentences.noTrust(file, folder),
                    remedy: Sentences.mendTrust),
            ]
        }
        return [.ok("tls", Sentences.tls(system.version, trust))]
    }

    /// Which of the two holds authorities; several folders have colons between them.
    private func trust(file: String, folder: String) -> String? {
        if let bytes = try? kernel.readFile(file), !bytes.isEmpty { return file }
        return folder.split(separator: ":").map(String.init).first { (try? kernel.list($0))?.isEmpty == false }
    }

    /// Asks for each remote's address, and whether something accepts connections there.
    func remotes(_ plan: Plan) -> [Finding] {
        plan.services.compactMap { planned in
            guard let remote = planned.service.remote else { return nil }
            let check = "remote of \(planned.name)"
            let place = "\(remote.host):\(remote.port)"
            let addresses: [SocketAddress]
            do throws(NameFailure) { addresses = try resolveName(remote.host, port: remote.port) } catch {
                return .problem(check, Sentences.notResolved(remote.host, error.reason), Sentences.mendName)
            }
            var failure = Errno.timedOut
            for address in addresses {
                do throws(Errno) {
                    try reach(address)
                    return .ok(check, Sentences.reached(place, "\(address)"))
                } catch { failure = error }
            }
            return .problem(check, Sentences.notReached(place, failure), Sentences.mendReach)
        }
    }

    private static let patience = Duration.seconds(3)

    private func reach(_ address: SocketAddress) throws(Errno) {
        let socket = try kernel.socket(for: address)
        let poller = try PollerBackend.poll.make(kernel)
        guard try kernel.connect(socket, to: address) == .inProgress else { return }
        try poller.add(socket.raw, token: 1)
        defer { poller.remove(socket.raw, token: 1) }
        poller.rearm(socket.raw, token: 1, .writable)
        var events: [PollEvent] = []
        try poller.wait(Int32(Doctor.patience.wholeMilliseconds), into: &events)
        if events.isEmpty { throw .timedOut }
        if let error = kernel.connectionError(socket) { throw error }
    }
}
