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
        do throws(Errno) {
            return answer(to: try ask(port, path))
        } catch { return error == .connectionRefused ? .refused : .bad("\(error)") }
    }

    /// Sends the request; `answer(to:)` waits for what comes back.
    private static func ask(_ port: Int, _ path: String = "/") throws(Errno) -> Descriptor {
        let kernel = Kernel.real
        let socket = try kernel.socket(for: .loopback(port))
        try kernel.setNonblocking(socket, false)
        _ = try kernel.connect(socket, to: .loopback(port))
        try kernel.writeAll(socket, "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n")
        return socket
    }

    private static func answer(to socket: borrowing Descriptor) -> Answer {
        var bytes: [UInt8] = []
        do throws(Errno) {
            while true {
                let more = try Kernel.real.next(socket)
                if more.isEmpty { break }
                bytes += more
            }
        } catch { return .bad("\(error)") }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 200 "), let end = text.firstRange(of: "\r\n\r\n") else {
            return .bad(text.isEmpty ? "a connection closed without an answer" : String(text.prefix(200)))
        }
        return .good(String(text[end.upperBound...]))
    }

    /// A request that is under way.
    final class Pending {
        private let port: Int
        private let socket: Descriptor

        /// Asks as soon as someone listens at that port, unless `program` ends before.
        init(_ port: Int, of program: Program) throws(Malfunction) {
            self.port = port
            while true {
                do throws(Errno) {
                    socket = try Client.ask(port)
                    return
                } catch {
                    guard error == .connectionRefused else { throw Malfunction("port \(port): \(error)") }
                    if program.hasEnded {
                        throw Malfunction("nobody listens at port \(port), and what should have has ended")
                    }
                    pause(.microseconds(200))
                }
            }
        }

        /// Waits for the 200.
        func finish() throws(Malfunction) {
            let answer = Client.answer(to: socket)
            guard case .good = answer else { throw Malfunction("port \(port) answered with \(answer)") }
        }
    }
}
