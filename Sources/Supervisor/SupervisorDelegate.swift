import Platform

/// Which output: that of one process of an instance, or of one build.
public struct OutputSource: Sendable, Hashable {
    public var service: String
    /// Nil for a build.
    public var instance: Int?
    /// Of the process, or the number of the build: two sources of one instance are never equal.
    public var generation: Int

    public init(service: String, instance: Int?, generation: Int) {
        self.service = service
        self.instance = instance
        self.generation = generation
    }
}

/// Told on whatever thread starts a program, so that a supervisor that is killed meanwhile leaves nothing unknown.
public struct StartWitness: Sendable {
    /// Of where its output will be read, before there is a process; all at stdout where it has a terminal.
    public var output: @Sendable (_ source: OutputSource, _ stdout: Int32, _ stderr: Int32?) -> Void
    /// Of the process: its pid, its marker's value, its tag, and `Instant.sinceBoot` before the start.
    public var process: @Sendable (_ pid: Int32, _ marker: String, _ tag: UInt64, _ began: Instant) -> Void

    public init(
        output: @escaping @Sendable (_ source: OutputSource, _ stdout: Int32, _ stderr: Int32?) -> Void,
        process: @escaping @Sendable (_ pid: Int32, _ marker: String, _ tag: UInt64, _ began: Instant) -> Void
    ) {
        self.output = output
        self.process = process
    }
}

/// What a supervisor needs of others and tells them. Every call comes on its loop, and may call back at once.
public protocol SupervisorDelegate: AnyObject {
    /// `reason` is nil when ready.
    func stateChanged(_ service: String, to state: ServiceState, reason: String?)
    /// Never called for a service without a front.
    func frontChanged(_ service: String, to front: ServiceFront)

    /// Read ends of the pipes that a process was given as stdout and stderr.
    func attach(_ source: OutputSource, stdout: consuming Descriptor, stderr: consuming Descriptor)
    /// The terminal that a process was given (pty(7)): one descriptor to read its output from, another of the same to
    /// type into it. It is hung up once both are closed.
    func attach(_ source: OutputSource, terminal: consuming Descriptor, keyboard: consuming Descriptor)
    /// How large the window of that terminal is at first.
    func terminalSize(of source: OutputSource) -> TerminalSize
    /// The process has ended. Others may still hold the pipes' other ends: nobody should wait for their end.
    func outputEnded(_ source: OutputSource)
    /// A line of devmesh's own for a service's log.
    func note(_ service: String, instance: Int?, _ line: String)
    /// Calls `matched` once, on the supervisor's loop, at the first line of the source that matches. Called before
    /// `attach`, so that no line is missed.
    func watchLog(_ source: OutputSource, for regex: String, matched: @escaping () -> Void)
    func cancelLogWatch(_ source: OutputSource)

    /// Calls `done` once no exchange with that process of an instance is running, at the latest after `limit`.
    func drain(_ service: String, _ run: RunKey, limit: Duration, done: @escaping () -> Void)
    /// Closes what is left of the front's connections to it.
    func closeConnections(_ service: String, _ run: RunKey)

    func happened(_ service: String, _ happening: ServiceMachine.Happening)
}
