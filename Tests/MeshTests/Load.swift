import EventLoop
import Platform
import Synchronization
import TestSupport

/// Asks a front over and over until it is told to stop, or nobody has it any more.
final class Load: Sendable {
    /// What the thread has.
    private final class Asking: Sendable {
        let isStopped = Atomic(false)
        let answers = Mutex<[String]>([])
        let end = Handoff<Bool>()
    }

    private let asking = Asking()

    /// - Parameters:
    ///   - keepsConnection: it asks on one connection for as long as that works, else each time on a new one.
    ///   - body: what it posts; nil: it gets.
    init(port: Int, path: String = "/", keepsConnection: Bool = false, body: String? = nil) throws {
        _ = try PlatformThread("load") { [asking] in
            var kept: MeshClient?
            while !asking.isStopped.load(ordering: .relaxed) {
                let answer: String
                do {
                    let client = try kept ?? MeshClient(port: port)
                    kept = nil
                    try client.request(path, method: body == nil ? "GET" : "POST", body: body ?? "")
                    let response = try client.response()
                    answer = "\(response.status) \(response.body)"
                    if keepsConnection { kept = client }
                } catch { answer = "\(error)" }
                asking.answers.withLock { $0.append(answer) }
            }
            asking.end.give(true)
        }
    }

    deinit { asking.isStopped.store(true, ordering: .relaxed) }

    /// What was answered: the status and the body, or why there was no answer.
    func stop() throws -> [String] {
        asking.isStopped.store(true, ordering: .relaxed)
        guard asking.end.take(within: patience(.seconds(60))) == true else {
            throw MeshFailure("a request was not answered")
        }
        return asking.answers.withLock { $0 }
    }
}
