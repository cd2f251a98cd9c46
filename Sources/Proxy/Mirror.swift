import EventLoop
import HTTP
import Platform

/// A copy of one request on its way to a target that is only to be watched: whatever it answers is read and thrown
/// away, and whatever goes wrong with it nobody learns but its own log. It never makes the original wait: a copy that
/// takes its bytes too slowly is given up.
final class Mirror: LinkOwner {
    private let loop: EventLoop
    private var dial: RemoteDial?
    private var link: Link?
    private var timer: Timer?
    private var waiting = ByteQueue()
    private var isOver = false
    private let target: Target

    /// How many bytes may wait for a slow target.
    private static let most = 1 << 20
    /// How long a copy may take.
    private static let limit = Duration.seconds(60)

    init(to lease: Lease, of target: Target, _ runtime: Proxy) {
        loop = runtime.loop
        self.target = target
        target.mirrors += 1
        timer = loop.after(Mirror.limit) { [self] in close() }
        if let remote = lease.remote {
            dial = RemoteDial(remote, isHTTP2: false, connectLimit: .seconds(5), runtime) { [self] result in
                dial = nil
                if case .success(let link) = result { adopt(link) } else { close() }
            }
        } else if let address = lease.address, let link = try? Link(connectingTo: address, on: loop) {
            adopt(link)
        } else {
            close()
        }
    }

    private func adopt(_ link: Link) {
        guard !isOver else { return link.close() }
        self.link = link
        link.owner = self
        send()
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard !isOver else { return }
        guard waiting.count + bytes.count <= Mirror.most else { return close() }
        waiting.append(bytes)
        send()
    }

    private func send() {
        guard let link, !link.isConnecting, link.hasRoom, !waiting.isEmpty else { return }
        waiting.withBytes { link.write($0) }
        waiting.removeAll()
    }

    func linkMoved(_ link: Link) {
        guard !link.isConnecting else { return }
        if link.connectError != nil { return close() }
        send()
        link.discardInput()
        if link.ending != nil { close() }
    }

    func close() {
        guard !isOver else { return }
        isOver = true
        target.mirrors -= 1
        timer?.cancel()
        dial?.cancel()
        link?.close()
    }
}
