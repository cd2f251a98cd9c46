import EventLoop
import Platform

/// What the program can be.
enum Service: String {
    /// Shows a page of what the others answer.
    case reader
    /// Knows who reads the paper.
    case members
    /// Forgets pages that have changed.
    case purge
    /// The stand-in for a remote environment: `members`, elsewhere, with more people in it.
    case cluster

    /// Serves until a signal ends it.
    func run() throws(Startup) {
        let environment = ThisProcess.environment
        guard let port = environment["PORT"].flatMap(UInt16.init) else {
            throw Startup(reason: "PORT is not set to a port number; devmesh sets it")
        }
        do throws(Errno) {
            let loop = try EventLoop()
            let handler = try handler(environment, on: loop)
            let server = try Server(port: Int(port), on: loop, handler)
            say("\(self == .cluster ? "the remote cluster" : rawValue) listens on 127.0.0.1:\(port)")
            try loop.run()
            withExtendedLifetime(server) {}
        } catch {
            throw Startup(reason: "can't serve at 127.0.0.1:\(port): \(error)")
        }
    }

    private func handler(_ environment: [String: String], on loop: EventLoop) throws(Errno) -> Handler {
        switch self {
        case .reader:
            let reader = Reader(
                members: Neighbour("members", environment, on: loop), purge: Neighbour("purge", environment, on: loop))
            return reader.answer
        case .members: return Members(place: "this machine", people: ["Ada", "Grace", "Edsger"]).answer
        case .cluster:
            return Members(place: "the remote cluster", people: ["Ada", "Grace", "Edsger", "Barbara"]).answer
        case .purge: return Purge().answer
        }
    }
}

/// Why a service couldn't begin.
struct Startup: Error {
    let reason: String
}

/// `reader.2`, as devmesh names this process; `reader` without devmesh.
let instanceName: String = {
    let environment = ThisProcess.environment
    guard let name = environment["SERVICE_NAME"] else { return CommandLine.arguments.dropFirst().first ?? "newsroom" }
    return "\(name).\(environment["SERVICE_INSTANCE"] ?? "1")"
}()

func say(_ line: String) { try? StandardStream.output.write(line + "\n") }
func complain(_ line: String) { try? StandardStream.error.write(line + "\n") }
