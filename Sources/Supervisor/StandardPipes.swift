import Platform

/// The three pipes of a program that is about to start.
struct StandardPipes: ~Copyable {
    var input: Pipe
    var output: Pipe
    var errors: Pipe

    init(_ kernel: Kernel) throws(Errno) {
        let first = try kernel.pipe()
        let second = try kernel.pipe()
        let third = try kernel.pipe()
        input = first
        output = second
        errors = third
    }

    /// Gives our ends to those who keep them and closes the program's.
    consuming func hand(to process: ManagedProcess, _ delegate: (any SupervisorDelegate)?, _ source: OutputSource) {
        let writer = input.writer
        process.stdin = consume writer
        delegate?.attach(source, stdout: output.reader, stderr: errors.reader)
    }
}
