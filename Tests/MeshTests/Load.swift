import EventLoop
import Platform
import Synchronization
import TestSupport

/// Asks a front over and over until it is told to stop.
final class Load: Sendable {
    private struct State {
        var isStopped = false
        var answers: [String] = []
    }

    private let state = Mutex(State())
    private let end = Handoff<Bool>()

    /// - Parameters:
    ///   - keepsConnection: it asks on one connection for as long as that works, else each time on a new one.
    ///   - body: what it posts; nil: it gets.
    init(port: Int, path: String = "/", keepsConnection: Bool = false, body: String? = nil) throws {
        _ = try PlatformThread("load") { [self] in
            var kept: MeshClient?
            while state.withLock({ !$0.isStopped }) {
                let answer: String
                do {
                    let client = try kept ?? MeshClient(port: port)
                    kept = nil
                    try client.request(path, method: body == nil ? "GET" : "POST", body: body ?? "")
                    let response = try client.response()
                    answer = "\(response.status) \(response.body)"
                    if keepsConnection { kept = client }
                } catch { answer = "\(error)" }
                state.withLock { $0.answers.append(answer) }
            }
            end.give(true)
        }
    }

    /// What was answered: the status and the body, or why there was no answer.
    func stop() throws -> [String] {
        state.withLock { $0.isStopped = true }
        guard end.take(within: patience(.seconds(60))) == true else { throw MeshFailure("a request was not answered") }
        return state.withLock { $0.answers }
    }
}
