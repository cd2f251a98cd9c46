import EventLoop
import Platform
import Synchronization
import TestSupport

/// Asks a front over and over, each time on a new connection, until it is told to stop.
final class Load: Sendable {
    private struct State {
        var isStopped = false
        var answers: [String] = []
    }

    private let state = Mutex(State())
    private let end = Handoff<Bool>()

    init(port: Int, path: String = "/") throws {
        _ = try PlatformThread("load") { [self] in
            while state.withLock({ !$0.isStopped }) {
                let answer: String
                do {
                    let response = try MeshClient(port: port).get(path)
                    answer = "\(response.status) \(response.body)"
                } catch { answer = "\(error)" }
                state.withLock { $0.answers.append(answer) }
            }
            end.give(true)
        }
    }

    /// What was answered: the status and the body, or why there was no answer.
    func stop() throws -> [String] {
        state.withLock { $0.isStopped = true }
        guard end.take(within: .seconds(60)) == true else { throw MeshFailure("a request was not answered") }
        return state.withLock { $0.answers }
    }
}
