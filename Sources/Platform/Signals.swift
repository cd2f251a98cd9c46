import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A signal's number and name (signal(7)).
public struct Signal: Sendable, Hashable, CustomStringConvertible {
    public let number: Int32

    public init(_ number: Int32) { self.number = number }

    public static let hangup = Signal(SIGHUP)
    public static let interrupt = Signal(SIGINT)
    public static let kill = Signal(SIGKILL)
    public static let pipe = Signal(SIGPIPE)
    public static let terminate = Signal(SIGTERM)
    public static let child = Signal(SIGCHLD)
    public static let windowSize = Signal(SIGWINCH)
    /// ^Z.
    public static let terminalStop = Signal(SIGTSTP)
    public static let `continue` = Signal(SIGCONT)

    private static let names: [(String, Int32)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP), ("ABRT", SIGABRT),
        ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV), ("USR2", SIGUSR2),
        ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("CHLD", SIGCHLD), ("CONT", SIGCONT),
        ("STOP", SIGSTOP), ("TSTP", SIGTSTP), ("WINCH", SIGWINCH),
    ]

    /// `TERM` or `SIGTERM`, in any case.
    public init?(name: String) {
        let plain = name.uppercased()
        let short = plain.hasPrefix("SIG") ? String(plain.dropFirst(3)) : plain
        guard let match = Self.names.first(where: { $0.0 == short }) else { return nil }
        number = match.1
    }

    public var description: String {
        Self.names.first { $0.1 == number }.map { "SIG" + $0.0 } ?? "signal \(number)"
    }

    /// From now on this process gets an error instead of the signal, as `EPIPE` for `SIGPIPE`.
    public func ignore() { cp_signal_ignore(number) }

    /// Whether this process ignores it, as nohup(1) has it ignore SIGHUP.
    public var isIgnored: Bool { cp_signal_is_ignored(number) != 0 }
}

/// A subscription to signals of this process, as a descriptor that an event loop can watch.
///
/// Any number may exist at once; each sees every signal it asked for. The handlers stay installed afterwards.
public final class SignalPipe: Sendable {
    public struct Arrival: Sendable, Equatable {
        public var signal: Signal
        /// Sent by a process (kill(2)), not by the terminal, the kernel or a guardian that hands it on.
        public var fromProcess: Bool
        /// Queued (sigqueue(3)), as a guardian hands signals on.
        public var isHandedOn = false
    }

    private let ends: Ends
    private let slot: Int32

    /// - Throws: `EMFILE` where descriptors or the 64 subscriptions are used up.
    public init(_ signals: [Signal], kernel: Kernel = .real) throws(Errno) {
        let ends = Ends(try kernel.pipe())
        try kernel.setNonblocking(ends.reader)
        try kernel.setNonblocking(ends.writer)
        let mask = signals.reduce(UInt64(0)) { $0 | 1 << UInt64($1.number) }
        slot = try checked(cp_signals_subscribe(ends.writer.raw, mask))
        self.ends = ends
    }

    deinit { cp_signals_unsubscribe(slot) }

    /// The descriptor to watch for readability.
    public var reader: Int32 { ends.reader.raw }

    /// Takes what has arrived, in order; never waits.
    public func drain(_ body: (Arrival) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            while case .bytes(let count)? = try? Kernel.real.read(ends.reader, into: buffer) {
                for byte in buffer[..<count] {
                    let signal = Signal(Int32(byte & 0x3f))
                    body(Arrival(signal: signal, fromProcess: byte & 0x80 != 0, isHandedOn: byte & 0x40 != 0))
                }
            }
        }
    }

    private final class Ends: Sendable {
        let reader: Descriptor
        let writer: Descriptor

        init(_ pipe: consuming Pipe) {
            reader = pipe.reader
            writer = pipe.writer
        }
    }
}
