import EventLoop
import Platform

/// The listening sockets of one front or edge: 127.0.0.1 and, where the machine has it, ::1, with the same port.
final class Front {
    let spec: FrontSpec
    let port: Int
    private var listeners: [Listener] = []

    /// Binds and listens, and hands what comes to `onAccept`.
    /// - Throws: `ProxyError.cannotListen`, after which nothing is left open.
    init(
        _ spec: FrontSpec, on loop: EventLoop, mayAccept: @escaping () -> Bool,
        onAccept: @escaping (consuming Descriptor, _ isV6: Bool) -> Void
    ) throws(ProxyError) {
        self.spec = spec
        do throws(Errno) {
            var sockets = try Front.bind(spec.port, loop.kernel)
            port = sockets.port
            let four = try Listener(sockets.four, on: loop, mayAccept: mayAccept) { onAccept($0, false) }
            listeners.append(four)
            guard let six = sockets.six.take() else { return }
            do throws(Errno) {
                listeners.append(try Listener(six, on: loop, mayAccept: mayAccept) { onAccept($0, true) })
            } catch {
                four.close()
                throw error
            }
        } catch {
            throw .cannotListen(spec, error)
        }
    }

    /// Listens at one other address.
    init(
        _ spec: FrontSpec, at address: SocketAddress, on loop: EventLoop,
        onAccept: @escaping (consuming Descriptor) -> Void
    ) throws(ProxyError) {
        self.spec = spec
        port = spec.port
        do throws(Errno) {
            // Podman makes its bridge with the first container.
            let socket = try loop.kernel.listen(at: address, early: true)
            listeners = [try Listener(socket, on: loop, onAccept: onAccept)]
        } catch {
            throw .cannotListen(spec, error)
        }
    }

    /// Stops listening; connections stay.
    func close() {
        for listener in listeners { listener.close() }
        listeners = []
    }

    private struct Sockets: ~Copyable {
        var four: Descriptor
        var six: Descriptor?
        var port: Int
    }

    /// A port that the system chooses for IPv4 may be taken for IPv6: then another is tried.
    private static func bind(_ port: Int, _ kernel: Kernel) throws(Errno) -> Sockets {
        for attempt in 0..<16 {
            let four = try kernel.listen(at: .loopback(port))
            kernel.setUnpaced(four)
            let actual = port == 0 ? kernel.localAddress(four)?.port ?? port : port
            var six: Descriptor?
            do throws(Errno) {
                let socket = try kernel.listen(at: .loopback6(actual))
                kernel.setUnpaced(socket)
                six = consume socket
            } catch {
                if hasLoopback6(kernel) {
                    guard port == 0, error == .addressInUse, attempt < 15 else { throw error }
                    continue
                }
            }
            return Sockets(four: four, six: six, port: actual)
        }
        throw .addressInUse
    }
}
