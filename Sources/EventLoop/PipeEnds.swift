import Platform
import Synchronization

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

    /// Three pipes: the program's ends and ours.
    static func pipes(_ kernel: Kernel) throws(Errno) -> (programs: StandardDescriptors, ours: PipeEnds) {
        let input = try kernel.pipe()
        let output = try kernel.pipe()
        let errors = try kernel.pipe()
        return (
            StandardDescriptors(input: input.reader, output: output.writer, errors: errors.writer),
            PipeEnds(input: input.writer, output: output.reader, errors: errors.reader)
        )
    }
}

/// Our ends of a program's pipes, on their way to whoever keeps them.
public final class PipeEnds: Sendable {
    @frozen public struct Ends: ~Copyable, Sendable {
        public var input: Descriptor
        public var output: Descriptor
        public var errors: Descriptor
    }

    private let held: Mutex<Ends?>
    /// The numbers of those that are read.
    let read: (stdout: Int32, stderr: Int32)

    init(input: consuming Descriptor, output: consuming Descriptor, errors: consuming Descriptor) {
        read = (output.raw, errors.raw)
        held = Mutex(Ends(input: input, output: output, errors: errors))
    }

    /// Hands them over, once; nil afterwards.
    public func take() -> Ends? { held.withLock { $0.take() } }
}
