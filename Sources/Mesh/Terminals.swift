import Control
import EventLoop
import Gateway
import Logs
import Platform
import Supervisor

/// The terminals of services with `"tty": true`: who is attached to them, and how large they are.
///
///     client ── type ──► TerminalInput ──► terminal ──► LogPipe ──► store
///     client ◄── TerminalViewer ◄── LogTap ◄──────────┘
final class Terminals {
    /// An instance of a unit: its processes, each with a terminal of its own, come and go.
    struct Seat: Hashable {
        var unit: String
        var instance: Int

        var name: String { "\(unit).\(instance)" }
    }

    private struct Program {
        var source: OutputSource
        var input: TerminalInput
        var tap: LogTap
        var hasEnded = false
    }

    private struct Viewer {
        var number: Int
        var viewer: any TerminalViewer
        var window: TerminalWindow?
    }

    /// So long has a terminal another size for its programs to notice (`redraw`).
    private static let noticing = Duration.milliseconds(100)

    private let loop: EventLoop
    private var programs: [Seat: Program] = [:]
    /// In the order in which they attached or were resized: the last one decides the size.
    private var viewers: [Seat: [Viewer]] = [:]
    private var lastViewer = 0
    /// Of the terminal that the mesh was started in.
    private var window = TerminalSize.ofThisProcess ?? .standard

    init(on loop: EventLoop) { self.loop = loop }

    // MARK: Programs

    /// Takes a process's terminal; what it shows is to be passed to the tap.
    func open(_ source: OutputSource, keyboard: consuming Descriptor) -> LogTap {
        let seat = Seat(source)
        let terminals = LoopBound(self, loop)
        let tap = LogTap(on: loop.remote) { terminals.value.show($0, missing: $1, at: seat) }
        tap.isOpen = viewers[seat] != nil
        // With an overlapping handover the old one has not ended; or what it showed last has not been passed on.
        if let old = programs[seat] {
            leave(old, at: seat)
            if old.hasEnded { tell(seat, Sentences.terminalEnded(seat.name)) }
        }
        let input = TerminalInput(keyboard, on: loop)
        // It may have been started before the window changed.
        input.resize(size(of: seat))
        programs[seat] = Program(source: source, input: input, tap: tap)
        tell(seat, Sentences.terminalBegan(seat.name))
        return tap
    }

    private func has(_ source: OutputSource) -> Bool { programs[Seat(source)]?.source == source }

    /// The process has ended.
    /// - Returns: whether it had a terminal, which is to be closed.
    func ended(_ source: OutputSource) -> Bool {
        guard has(source) else { return false }
        programs[Seat(source)]?.hasEnded = true
        return true
    }

    /// All that it showed has been passed on as well.
    func close(_ source: OutputSource) {
        let seat = Seat(source)
        guard has(source), let program = programs.removeValue(forKey: seat) else { return }
        leave(program, at: seat)
        tell(seat, Sentences.terminalEnded(seat.name))
    }

    /// What it has set on its viewers' terminals is not for the next one.
    private func leave(_ program: Program, at seat: Seat) {
        program.tap.isOpen = false
        program.input.close()
        show(Array(program.tap.modes.undoing.utf8), missing: 0, at: seat)
    }

    // MARK: Sizes

    func size(of seat: Seat) -> TerminalSize { viewers[seat]?.last { $0.window != nil }?.window?.size ?? window }

    /// A viewer's window has another size now.
    func resize(_ seat: Seat, to window: TerminalWindow) {
        guard let place = viewers[seat]?.firstIndex(where: { $0.window?.name == window.name }) else { return }
        var viewer = viewers[seat]!.remove(at: place)
        viewer.window = window
        viewers[seat]!.append(viewer)
        resize(seat)
    }

    /// The terminal that the mesh was started in has another size now.
    func windowChanged() {
        window = TerminalSize.ofThisProcess ?? window
        for seat in programs.keys { resize(seat) }
    }

    private func resize(_ seat: Seat) { programs[seat]?.input.resize(size(of: seat)) }

    /// Has the programs draw themselves anew, which most do only where the size is another one: for a moment it is.
    func redraw(_ seat: Seat) {
        let size = size(of: seat)
        programs[seat]?.input.resize(
            TerminalSize(columns: size.columns, rows: size.rows > 1 ? size.rows - 1 : size.rows + 1))
        loop.after(Self.noticing) { [weak self] in self?.resize(seat) }
    }

    // MARK: Viewers

    /// Shows a terminal to somebody from now on, until `detach` of the number returned.
    func attach(_ viewer: any TerminalViewer, _ window: TerminalWindow?, to seat: Seat) -> Int {
        lastViewer += 1
        viewers[seat, default: []].append(Viewer(number: lastViewer, viewer: viewer, window: window))
        if let tap = programs[seat]?.tap {
            tap.isOpen = true
            loop.later { viewer.show(Array(tap.modes.setting.utf8)) }
            redraw(seat)
        } else {
            loop.later { viewer.note(Sentences.terminalIsEmpty(seat.name)) }
        }
        return lastViewer
    }

    func detach(_ viewer: Int, from seat: Seat) {
        viewers[seat]?.removeAll { $0.number == viewer }
        if viewers[seat]?.isEmpty == true {
            viewers[seat] = nil
            programs[seat]?.tap.isOpen = false
        }
        resize(seat)
    }

    /// - Parameter done: called once more may be typed, with false where no program runs there.
    func type(_ bytes: [UInt8], at seat: Seat, done: @escaping (_ isRunning: Bool) -> Void) {
        guard let input = programs[seat]?.input else { return done(false) }
        input.type(bytes) { done(true) }
    }

    private func show(_ bytes: [UInt8], missing: Int, at seat: Seat) {
        if missing > 0 { tell(seat, Sentences.terminalTooFast(missing)) }
        for viewer in viewers[seat] ?? [] { viewer.viewer.show(bytes) }
    }

    private func tell(_ seat: Seat, _ sentence: String) {
        for viewer in viewers[seat] ?? [] { viewer.viewer.note(sentence) }
    }
}

extension Terminals.Seat {
    init(_ source: OutputSource) { self.init(unit: source.service, instance: source.instance ?? 1) }
}
