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
    private let output: Output
    private let notices: Output
    private let socket: String
    private let running = Mutex<(name: String, printer: LogPrinter?)?>(nil)
    private let printed = Handoff<Bool>()

    /// How long whoever reads the output may take for the last lines, once everything is stopped.
    private static let patience = Duration.seconds(5)

    /// - Parameter socket: the control socket that the mesh is going to have.
    init(_ session: Session, socket: String) {
        output = session.output
        notices = session.notices
        self.socket = socket
    }

    var hooks: MeshHooks {
        MeshHooks(started: { self.show($0) }, ended: { self.finish() }, notice: { self.tell($0) })
    }

    private func show(_ start: MeshStart) {
        running.withLock { $0 = (start.name, nil) }
        tell(Sentences.isUp(start.name))
        try? notices.show(AddressTable.table(start.addresses))
        let query = LogQuery(folder: start.logs, afterSeq: start.firstSeq - 1)
        let format = LogFormat(usesColor: output.colours, isTerminal: output.isTerminal)
        do throws(Errno) {
            let printer = try LogOutput.follow(query, format) { self.ended($0) }
            running.withLock { $0?.printer = printer }
        } catch {
            tell(Sentences.cannotShowLogs(error))
        }
    }

    /// Prints what is left.
    private func finish() {
        guard let (name, printer) = running.withLock({ $0 }) else { return }
        printer?.finish()
        if printer != nil, printed.take(within: ForegroundMesh.patience) == nil { tell(Sentences.restIsStored) }
        try? notices.lineAfterInterrupt(Sentences.isDown(name))
    }

    private func ended(_ end: LogPrinter.End) {
        printed.give(true)
        switch end {
        case .finished: break
        case .failed(let error): tell(Sentences.cannotShowLogs(error))
        case .outputClosed:
            // As any program in a pipe would: without a reader it has nothing to go on for.
            do throws(ControlError) { _ = try ControlClient(socket: socket).down() } catch {
                tell(error.description)
            }
        }
    }

    /// Where standard error is gone as well, nobody is left to tell.
    private func tell(_ sentence: String) { try? notices.line(sentence) }
}
