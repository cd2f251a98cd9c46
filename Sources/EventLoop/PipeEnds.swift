import Platform
import Synchronization

/// What a program gets as stdin, stdout and stderr.
public enum StandardIO: Sendable {
    /// `/dev/null`, all three.
    case nothing
    /// Three pipes.
    case pipes
    /// A terminal of its own, all three; its session's, too.
    case terminal(TerminalSize)
}

/// What becomes stdin, stdout and stderr of a program; closed with this object.
final class StandardDescriptors: Sendable {
    let input: Descriptor
    let output: Descriptor
    let errors: Descriptor

    private init(input: consuming Descriptor, output: consuming Descriptor, errors: consuming Descriptor) {
        self.input = input
        self.output = output
        self.errors = errors
    }

    /// The program's ends and ours; nil for `nothing`.
    static func make(_ kind: StandardIO, _ kernel: Kernel) throws(Errno)
        -> (programs: StandardDescriptors, ours: PipeEnds)?
    {
        switch kind {
        case .nothing: nil
        case .pipes: try pipes(kernel)
        case .terminal(let size): try terminal(size, kernel)
        }
    }

    private static func terminal(_ size: TerminalSize, _ kernel: Kernel) throws(Errno)
        -> (programs: StandardDescriptors, ours: PipeEnds)
    {
        let terminal = try kernel.pseudoTerminal(size)
        let output = try kernel.duplicate(terminal.programs)
        let errors = try kernel.duplicate(terminal.programs)
        let input = try kernel.duplicate(terminal.ours)
        return (
            StandardDescriptors(input: terminal.programs, output: output, errors: errors),
            PipeEnds(input: input, output: terminal.ours)
        )
    }

    private static func pipes(_ kernel: Kernel) throws(Errno) -> (programs: StandardDescriptors, ours: PipeEnds) {
        let input = try kernel.pipe()
        let output = try kernel.pipe()
        let errors = try kernel.pipe()
        return (
            StandardDescriptors(input: input.reader, output: output.writer, errors: errors.writer),
            PipeEnds(input: input.writer, output: output.reader, errors: errors.reader)
        )
    }
}

/// Our ends of a program's pipes or of its terminal, on their way to whoever keeps them.
public final class PipeEnds: Sendable {
    @frozen public struct Ends: ~Copyable, Sendable {
        public var input: Descriptor
        public var output: Descriptor
        /// Nil for a terminal, where everything comes from `output`; `input` is the same terminal once more.
        public var errors: Descriptor?
    }

    private let held: Mutex<Ends?>
    /// The numbers of those that are read.
    let read: (stdout: Int32, stderr: Int32?)

    /// Of pipes.
    init(input: consuming Descriptor, output: consuming Descriptor, errors: consuming Descriptor) {
        read = (output.raw, errors.raw)
        held = Mutex(Ends(input: input, output: output, errors: errors))
    }

    /// Of a terminal.
    init(input: consuming Descriptor, output: consuming Descriptor) {
        read = (output.raw, nil)
        held = Mutex(Ends(input: input, output: output, errors: nil))
    }

    /// Hands them over, once; nil afterwards.
    public func take() -> Ends? { held.withLock { $0.take() } }
}
