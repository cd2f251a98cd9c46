import EventLoop
import Platform

/// The three pipes of a program that is about to start.
final class StandardPipes {
    /// The program's ends.
    let programs: StandardDescriptors
    // Ours, until they are handed on.
    private var input: Descriptor?
    private var output: Descriptor?
    private var errors: Descriptor?

    init(_ kernel: Kernel) throws(Errno) {
        let first = try kernel.pipe()
        let second = try kernel.pipe()
        let third = try kernel.pipe()
        programs = StandardDescriptors(input: first.reader, output: second.writer, errors: third.writer)
        input = .some(first.writer)
        output = .some(second.reader)
        errors = .some(third.reader)
    }

    /// Gives our ends to those who keep them; can be done once.
    func hand(to process: ManagedProcess, _ delegate: (any SupervisorDelegate)?, _ source: OutputSource) {
        process.stdin = input.take()
        guard let output = output.take(), let errors = errors.take() else { return }
        delegate?.attach(source, stdout: output, stderr: errors)
    }
}
