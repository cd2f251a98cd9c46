import Platform

/// One GET on a connection of its own, waiting where it must.
enum Client {
    enum Answer: Equatable {
        /// The body of a 200.
        case good(String)
        case refused
        /// Anything else.
        case bad(String)
    }

    static func get(_ port: Int, _ path: String = "/") -> Answer {
        let kernel = Kernel.real
        var bytes: [UInt8] = []
        do throws(Errno) {
            let socket = try kernel.socket(for: .loopback(port))
            try kernel.setNonblocking(socket, false)
            _ = try kernel.connect(socket, to: .loopback(port))
            try kernel.writeAll(socket, "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n")
            while true {
                let more = try kernel.next(socket)
                if more.isEmpty { break }
                bytes += more
            }
        } catch { return error == .connectionRefused ? .refused : .bad("\(error)") }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 200 "), let end = text.firstRange(of: "\r\n\r\n") else {
            return .bad(text.isEmpty ? "a connection closed without an answer" : String(text.prefix(200)))
        }
        return .good(String(text[end.upperBound...]))
    }

    /// The first 200 from that port, tried until someone listens there or `program` has ended.
    static func firstAnswer(_ port: Int, of program: Program) throws(Malfunction) {
        while true {
            switch get(port) {
            case .good: return
            case .bad(let why): throw Malfunction("port \(port) answered with \(why)")
            case .refused where program.hasEnded:
                throw Malfunction("nobody listens at port \(port), and what should have has ended")
            case .refused: pause(.microseconds(200))
            }
        }
    }
}
