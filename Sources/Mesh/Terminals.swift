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
    }

    private let loop: EventLoop
    private var programs: [Seat: Program] = [:]
    private var viewers: [Seat: [Int: any TerminalViewer]] = [:]
    private var lastViewer = 0
    /// As the client has it that attached or was resized last; without one as `window`.
    private var sizes: [Seat: TerminalSize] = [:]
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
        let input = TerminalInput(keyboard, on: loop)
        // It may have been started before the window changed.
        input.resize(size(of: seat))
        programs[seat] = Program(source: source, input: input, tap: tap)
        tell(seat, Sentences.terminalBegan(seat.name))
        return tap
    }

    func has(_ source: OutputSource) -> Bool { programs[Seat(source)]?.source == source }

    /// The process has ended, and all that it showed has been passed on.
    func close(_ source: OutputSource) {
        let seat = Seat(source)
        guard has(source) else { return }
        programs[seat] = nil
        tell(seat, Sentences.terminalEnded(seat.name))
    }

    // MARK: Sizes

    func size(of seat: Seat) -> TerminalSize { sizes[seat] ?? window }

    /// - Parameter size: nil: that of the terminal that the mesh was started in.
    func resize(_ seat: Seat, to size: TerminalSize?) {
        sizes[seat] = size
        programs[seat]?.input.resize(self.size(of: seat))
    }

    /// The terminal that the mesh was started in has another size now.
    func windowChanged() {
        window = TerminalSize.ofThisProcess ?? window
        for (seat, program) in programs where sizes[seat] == nil { program.input.resize(window) }
    }

    // MARK: Viewers

    /// Shows a terminal to somebody from now on, until `detach` of the number returned.
    func attach(_ viewer: any TerminalViewer, to seat: Seat) -> Int {
        lastViewer += 1
        viewers[seat, default: [:]][lastViewer] = viewer
        if let program = programs[seat] {
            program.tap.isOpen = true
            program.input.redraw()
        } else {
            loop.later { viewer.note(Sentences.terminalIsEmpty(seat.name)) }
        }
        return lastViewer
    }

    func detach(_ viewer: Int, from seat: Seat) {
        viewers[seat]?[viewer] = nil
        guard viewers[seat]?.isEmpty == true else { return }
        viewers[seat] = nil
        programs[seat]?.tap.isOpen = false
        resize(seat, to: nil)
    }

    func redraw(_ seat: Seat) { programs[seat]?.input.redraw() }

    /// - Returns: false where no program runs there.
    func type(_ bytes: [UInt8], at seat: Seat) -> Bool {
        guard let program = programs[seat] else { return false }
        let missing = program.input.type(bytes)
        if missing > 0 { tell(seat, Sentences.typedInVain(seat.name, missing)) }
        return true
    }

    private func show(_ bytes: [UInt8], missing: Int, at seat: Seat) {
        if missing > 0 { tell(seat, Sentences.terminalTooFast(missing)) }
        for viewer in (viewers[seat] ?? [:]).values { viewer.show(bytes) }
    }

    private func tell(_ seat: Seat, _ sentence: String) {
        for viewer in (viewers[seat] ?? [:]).values { viewer.note(sentence) }
    }
}

extension Terminals.Seat {
    init(_ source: OutputSource) { self.init(unit: source.service, instance: source.instance ?? 1) }
}
