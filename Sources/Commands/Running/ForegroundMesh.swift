import Control
import EventLoop
import Logs
import Mesh
import Platform
import Project
import Synchronization

/// `up`: the mesh in this process, its logs on this terminal.
///
/// Logs are read back from the store by a thread of their own, so that a slow terminal or pipe slows no service.
final class ForegroundMesh: Sendable {
    private let session: Session
    private let socket: String
    /// What the terminal is put back to; nil without a line of states.
    private let settings: TerminalSettings?
    private let running = Mutex<Running?>(nil)
    private let printed = Handoff<Bool>()

    private struct Running {
        var name: String
        var printer: LogPrinter?
        /// What keys asked of it before this thread knew it.
        var early: [StatusLine.Command] = []
        /// With the printer's loop, which it belongs to.
        var terminal: (remote: LoopRemote, bound: LoopBound<UpTerminal>)?
    }

    /// How long whoever reads the output may take for the last lines, once everything is stopped.
    private static let patience = Duration.seconds(5)

    /// - Parameters:
    ///   - socket: the control socket that the mesh is going to have.
    ///   - hasStatus: whether a line of states is wanted, where there is a terminal to show it.
    init(_ session: Session, socket: String, hasStatus: Bool) {
        self.session = session
        self.socket = socket
        let isSmart = session.output.isTerminal && session.environment["TERM"] != "dumb"
        settings = hasStatus && isSmart ? TerminalSettings.save() : nil
    }

    var hooks: MeshHooks {
        var hooks = MeshHooks(started: { self.show($0) }, ended: { self.finish() }, notice: { self.tell($0) })
        hooks.showsLogs = true
        if settings != nil { hooks.states = { self.update($0) } }
        return hooks
    }

    private func show(_ start: MeshStart) {
        running.withLock { $0 = Running(name: start.name) }
        tell(Sentences.isUp(start.name))
        try? session.notices.show(AddressTable.table(start.addresses))
        let query = LogQuery(folder: start.logs, afterSeq: start.firstSeq - 1)
        let format = LogFormat(usesColor: session.output.colours, isTerminal: session.output.isTerminal)
        let sink = settings.map { settings in
            { @Sendable (loop: EventLoop) -> any LogSink in self.terminal(on: loop, settings) }
        }
        do throws(Errno) {
            let printer = try LogOutput.follow(query, format, sink: sink) { self.ended($0) }
            let early = running.withLock { running in
                running?.printer = printer
                return running?.early ?? []
            }
            for command in early { carryOut(command) }
        } catch {
            tell(Sentences.cannotShowLogs(error))
        }
    }

    private func terminal(on loop: EventLoop, _ settings: TerminalSettings) -> UpTerminal {
        let terminal = UpTerminal(on: loop, session.output, settings) { self.carryOut($0) }
        let bound = LoopBound(terminal, loop)
        running.withLock { $0?.terminal = (loop.remote, bound) }
        return terminal
    }

    /// Prints what is left. Whoever waits for the mesh's end, as `down` does, waits for this, but not for a terminal or
    /// pipe that takes nothing.
    private func finish() {
        guard let (name, printer) = running.withLock({ $0.map { ($0.name, $0.printer) } }) else { return }
        printer?.finish()
        let isShown = printer == nil || printed.take(within: ForegroundMesh.patience) != nil
        running.withLock { $0?.terminal = nil }
        if isShown { TerminalSettings.restore() } else { TerminalSettings.leave() }
        guard StandardStream.error.waitWritable(timeout: isShown ? ForegroundMesh.patience : .zero) else { return }
        if !isShown { tell(Sentences.restIsStored) }
        // With the line of states ^C is not shown.
        if settings == nil {
            try? session.notices.lineAfterInterrupt(Sentences.isDown(name))
        } else {
            tell(Sentences.isDown(name))
        }
    }

    private func ended(_ end: LogPrinter.End) {
        running.withLock { $0?.terminal = nil }
        printed.give(true)
        switch end {
        case .finished: break
        case .failed(let error): tell(Sentences.cannotShowLogs(error))
        // As any program in a pipe would: without a reader it has nothing to go on for.
        case .outputClosed: stop()
        }
    }

    private func stop() {
        do throws(ControlError) { _ = try ControlClient(socket: socket).down() } catch { tell(error.description) }
    }

    private func update(_ states: [(service: String, state: String)]) {
        let services = states.map { StatusLine.Service(name: $0.service, state: $0.state) }
        guard let (remote, bound) = running.withLock({ $0?.terminal }) else { return }
        remote.post { _ in bound.value.update(services) }
    }

    /// Where standard error is gone as well, nobody is left to tell.
    private func tell(_ sentence: String) {
        guard session.notices.isTerminal, let running = running.withLock({ $0 }), running.terminal != nil,
            let printer = running.printer
        else {
            // The mesh may be what waits here.
            guard StandardStream.error.waitWritable(timeout: ForegroundMesh.patience) else { return }
            return (try? session.notices.line(sentence)) ?? ()
        }
        printer.say([sentence])
    }

    // MARK: Keys

    /// Does what a key asked for; on a thread of its own where that takes its time.
    private func carryOut(_ command: StatusLine.Command) {
        switch command {
        case .show(let filter): printer(for: command)?.show { filter.shows($0) }
        case .perform(let action, let service):
            onThread { () throws(CommandFailure) in try self.perform(action, service) }
        case .open(let service): onThread { () throws(CommandFailure) in try self.open(service) }
        case .quit: onThread { self.stop() }
        case .say(let lines): printer(for: command)?.say(lines)
        case .suspend: break
        }
    }

    private func printer(for command: StatusLine.Command) -> LogPrinter? {
        running.withLock { running in
            if running?.printer == nil { running?.early.append(command) }
            return running?.printer
        }
    }

    private func onThread(_ body: @escaping @Sendable () throws(CommandFailure) -> Void) {
        do throws(Errno) {
            try Following.onThread {
                do throws(CommandFailure) { try body() } catch { for line in error.lines { self.tell(line) } }
            }
        } catch { tell(Sentences.cannotFollow(error)) }
    }

    private func ask<Answer>(_ question: (ControlClient) throws(ControlError) -> Answer) throws(CommandFailure)
        -> Answer
    {
        do { return try question(ControlClient(socket: socket)) } catch { throw .failed(error.description) }
    }

    private func perform(_ action: ServiceAction, _ service: String) throws(CommandFailure) {
        let request = ActionRequest(services: [service])
        let report = try ask { (client) throws(ControlError) in try client.perform(action, request) }
        for result in report.results {
            // What a failed build printed stands in the log.
            tell(
                result.ok
                    ? Sentences.done(action, result.service)
                    : Sentences.failed(action, result.service, result.reason))
        }
    }

    private func open(_ service: String?) throws(CommandFailure) {
        let ports = try ask { (client) throws(ControlError) in try client.ports() }
        let url = try OpenCommand.address(of: service, among: ports) { () throws(CommandFailure) in
            try ask { (client) throws(ControlError) in try client.services() }
        }
        tell(url)
        let (environment, directory) = (session.environment, session.directory)
        if let words = OpenCommand.commandLine(for: url, environment: environment, directory: directory) {
            try Program(commandLine: words, environment: environment).runAside()
        }
    }
}
