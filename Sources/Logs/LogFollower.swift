import EventLoop
import Platform

/// Follows the store: woken by changes of its folders, prints what is new. Belongs to the printer's loop, whose
/// thread waits in nothing but writes to the output.
final class LogFollower: ReadinessHandler {
    /// How often to look where the system can't tell about changes.
    private static let lookPause = Duration.milliseconds(200)

    /// At most so often is the store looked at: every program's every write is a change.
    private static let pace = Duration.milliseconds(5)

    private let session: LogSession
    private let loop: EventLoop
    /// Nil once ended: its reader then sees the end too.
    private var output: Descriptor?
    private let outputNumber: Int32
    private let sink: (any LogSink)?
    private let onEnd: (LogPrinter.End) -> Void
    private var state = State.following
    private var watcher: FileWatcher?
    private var registrations: [Registration] = []
    /// Places of services by the watch of their folder.
    private var watches: [Int32: Int] = [:]
    private var rootWatch: Int32?
    private var outputWatch: OutputWatch?
    private var outputRegistration: Registration?
    /// The next turn is coming without being asked for.
    private var isUnderWay = false
    private var lastLook = Instant(nanoseconds: 0)
    private var nextLook: Timer?

    private enum State: Equatable {
        case following
        /// What is stored is still to be printed.
        case finishing
        case ended
    }

    init(
        _ session: LogSession, to output: consuming Descriptor, sink: (any LogSink)?, on loop: EventLoop,
        onEnd: @escaping (LogPrinter.End) -> Void
    ) {
        self.session = session
        outputNumber = output.raw
        self.output = consume output
        self.sink = sink
        self.loop = loop
        self.onEnd = onEnd
    }

    func start() {
        if let until = session.query.until {
            let rest = until.microseconds - WallTime.now.microseconds
            guard rest > 0 else { return finish() }
            loop.after(.microseconds(rest)) { [weak self] in self?.finish() }
        }
        watchOutput()
        do throws(Errno) { try watchStore() } catch { lookAgain() }
        turn()
    }

    /// Prints what is stored by now, and ends.
    func finish() {
        guard state == .following else { return }
        state = .finishing
        for cursor in 0..<session.names.count { session.cursor(cursor).mayHaveSuccessor = true }
        turn()
    }

    // MARK: Watching

    private func watchStore() throws(Errno) {
        let watcher = try FileWatcher()
        let kernel = loop.kernel
        try kernel.makeDirectory(session.query.folder)
        rootWatch = try watcher.addWrites(session.query.folder)
        self.watcher = watcher
        for service in session.names.indices { try watchFolder(of: service) }
        registrations.append(try loop.watch(watcher.descriptor.raw, self))
        // A service that came before the watch stood.
        takeInNewServices()
    }

    private func watchFolder(of service: Int) throws(Errno) {
        let path = session.cursor(service).folder.path
        let watch = try loop.kernel.makingFolder(path) { () throws(Errno) in try watcher?.addWrites(path) }
        if let watch { watches[watch] = service }
    }

    func ready(_ readiness: Readiness) {
        watcher?.drain { event in
            guard let watch = event.watch else {
                // Events were lost: anything may have come.
                for service in session.names.indices { session.cursor(service).mayHaveSuccessor = true }
                takeInNewServices()
                return
            }
            if watch == rootWatch {
                takeInNewServices()
                rewatchFolder(named: event.name)
            } else if let service = watches[watch] {
                let cursor = session.cursor(service)
                if event.name != cursor.segment?.name { cursor.mayHaveSuccessor = true }
            }
        }
        registrations.first?.rearm(.readable)
        guard nextLook?.isPending != true else { return }
        let pause = Self.pace - (loop.now - lastLook)
        if pause <= .zero { return turn() }
        nextLook = loop.after(pause) { [weak self] in self?.turn() }
    }

    /// A service's folder was deleted underneath the mesh and has been made again: it is another one now.
    private func rewatchFolder(named name: String) {
        guard let service = session.names.firstIndex(of: Path.name(ofPart: name)) else { return }
        // Adding a folder that is watched already gives its old watch (inotify_add_watch(2)).
        let path = session.cursor(service).folder.path
        guard let watch = try? watcher?.addWrites(path), watches[watch] != service else { return }
        watches[watch] = service
        session.cursor(service).startAnew()
    }

    private func takeInNewServices() {
        guard session.query.services.isEmpty || !session.query.prefixes.isEmpty else { return }
        let known = Set(session.names)
        for name in LogArchive.services(in: session.query.folder, besides: known, kernel: loop.kernel)
        where session.query.takesIn(name) {
            session.add(name)
            try? watchFolder(of: session.names.count - 1)
        }
    }

    /// The way without change events: looks from time to time.
    private func lookAgain() {
        loop.after(Self.lookPause) { [self] in
            guard state == .following else { return }
            for service in session.names.indices { session.cursor(service).mayHaveSuccessor = true }
            takeInNewServices()
            turn()
            lookAgain()
        }
    }

    /// Learns at once when a pipe's reader goes away, rather than with the next line.
    private func watchOutput() {
        let handler = OutputWatch { [weak self] in self?.end(.outputClosed) }
        // A file can't be watched (EPERM), and need not be.
        guard let registration = try? loop.watch(outputNumber, handler) else { return }
        outputWatch = handler
        outputRegistration = registration
    }

    // MARK: Printing

    /// Prints one batch; goes on in the loop's next turn where there is more, so that `finish` is heard.
    private func turn() {
        guard !isUnderWay, state != .ended else { return }
        lastLook = loop.now
        let isDone = session.read(limit: LogPrinter.batch)
        if isDone && state == .finishing { session.finish() }
        do throws(Errno) {
            if session.out.count > 0 { try write(session.out.bytes) }
        } catch {
            return end(error == .brokenPipe ? .outputClosed : .failed(error))
        }
        session.out.clear()
        if !isDone {
            isUnderWay = true
            loop.later { [weak self] in
                self?.isUnderWay = false
                self?.turn()
            }
        } else if state == .finishing {
            end(.finished)
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        if let sink { try sink.write(bytes) } else { try loop.kernel.writeAll(output!, bytes) }
    }

    func show(where isShown: @escaping (String) -> Bool) { session.show(where: isShown) }

    func say(_ lines: [String]) {
        session.say(lines)
        turn()
    }

    private func end(_ how: LogPrinter.End) {
        guard state != .ended else { return }
        state = .ended
        for registration in registrations { registration.cancel() }
        registrations = []
        outputRegistration?.cancel()
        watcher = nil
        sink?.close()
        output = nil
        onEnd(how)
        loop.stop()
    }
}

/// Waits for the end of an output's reader.
private final class OutputWatch: ReadinessHandler {
    private let onGone: () -> Void

    init(_ onGone: @escaping () -> Void) { self.onGone = onGone }

    func ready(_ readiness: Readiness) {
        if readiness.contains(.hangup) { onGone() }
    }
}
