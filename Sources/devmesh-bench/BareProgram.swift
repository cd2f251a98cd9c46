import Platform

/// The fixture without devmesh around it: what everything is compared with.
final class BareProgram {
    private let program: Program
    private let output: Descriptor

    /// Starts one that serves HTTP at a port of the system's choice.
    init(_ options: Options) throws(Malfunction) {
        let pipe = try attempt("can't make a pipe") { () throws(Errno) in try Kernel.real.pipe() }
        output = try attempt("can't keep a pipe") { () throws(Errno) in try Kernel.real.duplicate(pipe.reader) }
        program = try Program(
            [options.fixture, "port", "0", "serve", "http"], environment: [:], stdout: .descriptor(pipe.writer.raw))
    }

    /// Waits until it listens, and sends it a request.
    func ask() throws(Malfunction) -> Client.Pending {
        var said: [UInt8] = []
        while said.last != UInt8(ascii: "\n") {
            let more = try attempt("can't read a pipe") { () throws(Errno) in try Kernel.real.next(output) }
            if more.isEmpty { throw Malfunction("the fixture has ended without listening") }
            said += more
        }
        let words = String(decoding: said.dropLast(), as: UTF8.self).split(separator: " ")
        guard words.first == "listening", let port = words.last.flatMap({ Int($0) }) else {
            throw Malfunction("the fixture said '\(String(decoding: said, as: UTF8.self))' instead of its port")
        }
        return try Client.Pending(port, of: program)
    }

    func end() { program.end() }
}
