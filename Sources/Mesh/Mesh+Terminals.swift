import Control
import Gateway
import Manifest
import Plan
import Platform
import Supervisor

/// What `devmesh attach` asks.
extension Mesh {
    func attach(to name: String, _ window: TerminalWindow?, _ viewer: any TerminalViewer) throws(ControlFailure)
        -> TerminalAttachment
    {
        let seat = try seat(name)
        let number = terminals.attach(viewer, window, to: seat)
        return TerminalAttachment(
            redraw: { [weak self] in self?.terminals.redraw(seat) },
            detach: { [weak self] in self?.terminals.detach(number, from: seat) })
    }

    func type(
        _ bytes: [UInt8], into name: String, _ window: TerminalWindow?, _ call: ControlCall,
        done: @escaping Done<ActionResult>
    ) {
        do throws(ControlFailure) {
            let seat = try seat(name)
            if let window { terminals.resize(seat, to: window) }
            terminals.type(bytes, at: seat) { isRunning in
                let reason = isRunning || bytes.isEmpty ? nil : Sentences.terminalIsEmpty(seat.name)
                done(.success(ActionResult(service: seat.name, ok: reason == nil, reason: reason)))
            }
        } catch { done(.failure(error)) }
    }

    /// What is meant by `reader`, `reader.2`, `members@next` or `members@next.2`.
    private func seat(_ name: String) throws(ControlFailure) -> Terminals.Seat {
        guard case .running = phase else { throw .stopping(plan.displayName) }
        var (service, instance) = (name, 1)
        // A version's name may look as if it ended in an instance's number.
        if unit(name) == nil, let dot = name.lastIndex(of: "."), let number = Int(name[dot...].dropFirst()) {
            (service, instance) = (String(name[..<dot]), number)
        }
        guard let unit = unit(service) else { throw .unknownService(service, known: serviceNames) }
        guard unit.service.hasTerminal else { throw .noTerminal(Sentences.noTerminal(unit.name)) }
        let count = supervisor.status(unit.name)?.instances.count ?? 0
        guard (1...max(count, 1)).contains(instance) else {
            throw .noTerminal(Sentences.noInstance(unit.name, instance, of: count))
        }
        return Terminals.Seat(unit: unit.name, instance: instance)
    }
}
