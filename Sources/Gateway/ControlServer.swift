import EventLoop
import HTTP
import Platform

/// The control API on its Unix socket, for one user.
///
///     client → socket → HTTPServer → ControlHandler → ControlBackend
public final class ControlServer {
    private let server: HTTPServer

    /// Serves `backend`, which is held weakly, at `path` (`UnixListener.bind`). The file there is the caller's to
    /// remove: by the end of this server another one's may be in its place.
    ///
    /// - Parameters:
    ///   - owner: whose connections are taken; all others get 403.
    ///   - connectionLimit: how many may be open; the next gets 503.
    public init(
        at path: String, backend: any ControlBackend, on loop: EventLoop, owner: UInt32 = ThisProcess.userID,
        connectionLimit: Int = 512
    ) throws(GatewayError) {
        // `ps` and `down` are wanted most when there is no descriptor left.
        let reserve = DescriptorReserve(size: 4)
        reserve.keep()
        let socket = try UnixListener.bind(path, kernel: loop.kernel)
        do throws(Errno) {
            server = try HTTPServer(
                socket, on: loop, admission: .user(owner), handler: ControlHandler(backend),
                connectionLimit: connectionLimit, reserve: reserve)
        } catch {
            throw .cannotListen(path: path, error)
        }
    }

    public var connectionCount: Int { server.connectionCount }

    /// Stops listening, lets answers under way go out and followers' streams end, then calls `done`; after `limit` in
    /// any case.
    public func finish(within limit: Duration = .seconds(1), done: @escaping () -> Void) {
        server.finish(within: limit, done: done)
    }

    /// Closes every connection, and listens no more.
    public func close() { server.close() }
}
