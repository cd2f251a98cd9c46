import EventLoop
import HTTP
import Platform

/// The control API on its Unix socket, for one user.
///
///     client → socket → HTTPServer → ControlHandler → ControlBackend
public final class ControlServer {
    private let server: HTTPServer
    private let path: String
    private let kernel: Kernel

    /// Serves `backend`, which is held weakly, at `path` (`UnixListener.bind`).
    ///
    /// - Parameters:
    ///   - owner: whose connections are taken; all others get 403.
    ///   - connectionLimit: how many may be open; the next gets 503.
    public init(
        at path: String, backend: any ControlBackend, on loop: EventLoop, owner: UInt32 = ThisProcess.userID,
        connectionLimit: Int = 512
    ) throws(GatewayError) {
        self.path = path
        kernel = loop.kernel
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

    /// Removes the socket, lets answers under way go out and followers' streams end, then calls `done`; after `limit`
    /// in any case.
    public func finish(within limit: Duration = .seconds(1), done: @escaping () -> Void) {
        removeSocket()
        server.finish(within: limit, done: done)
    }

    /// Removes the socket and closes every connection.
    public func close() {
        removeSocket()
        server.close()
    }

    /// A socket that can't be removed is a stale one, which the next mesh replaces.
    private func removeSocket() {
        do throws(Errno) { try kernel.remove(path) } catch {}
    }
}
