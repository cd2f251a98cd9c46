import EventLoop
import Platform

/// Finds the addresses of remote hosts without making the loop wait: each lookup has a thread of its own.
///
/// Answers are kept for a few seconds, so that a burst of calls asks once and a changed address is soon seen.
final class Resolver {
    typealias Answer = Result<[SocketAddress], ProxyError>

    private let loop: EventLoop
    private var known: [String: (answer: Answer, until: Instant)] = [:]
    private var waiting: [String: [(Answer) -> Void]] = [:]

    private static let keepsFor = Duration.seconds(5)
    /// What `localhost` means, also where the system's table knows half of it (RFC 6761 §6.3).
    private static let loopbacks: [SocketAddress] = hasLoopback6() ? [.loopback(0), .loopback6(0)] : [.loopback(0)]

    /// Carries the resolver past the helper thread without keeping it alive there.
    private final class Weak {
        weak var resolver: Resolver?
        init(_ resolver: Resolver) { self.resolver = resolver }
    }

    init(_ loop: EventLoop) { self.loop = loop }

    /// Calls `done` with at least one address, whose ports mean nothing: at once if they are known, else later.
    func resolve(_ host: String, _ done: @escaping (Answer) -> Void) {
        if let literal = SocketAddress(literal: host, port: 0) { return done(.success([literal])) }
        if host.lowercased() == "localhost" || host.lowercased().hasSuffix(".localhost") {
            return done(.success(Resolver.loopbacks))
        }
        if let entry = known[host], entry.until > loop.now { return done(entry.answer) }
        waiting[host, default: []].append(done)
        guard waiting[host]?.count == 1 else { return }

        let back = LoopBound(Weak(self), loop)
        let remote = loop.remote
        do throws(Errno) {
            _ = try PlatformThread("resolve") {
                let answer: Answer
                do throws(NameFailure) {
                    answer = .success(try resolveName(host, port: 0))
                } catch {
                    answer = .failure(.unknownHost(host, reason: error.reason))
                }
                remote.post { _ in back.value.resolver?.finish(host, answer) }
            }
        } catch {
            finish(host, .failure(.unknownHost(host, reason: error.description)))
        }
    }

    private func finish(_ host: String, _ answer: Answer) {
        known = known.filter { $0.value.until > loop.now }
        known[host] = (answer, loop.now + Resolver.keepsFor)
        for done in waiting.removeValue(forKey: host) ?? [] { done(answer) }
    }
}
