import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A TCP socket in the kernel's table.
public struct SocketEntry: Sendable, Equatable {
    public var port: Int
    public var peerPort: Int
    /// Names the open socket: the same as in /proc/PID/fd.
    public var inode: UInt64
    public var user: UInt32
    /// Whether its own address is IPv6; false for ::ffff:127.0.0.1, which only IPv4 reaches.
    public var isV6: Bool
}

/// Who holds a port.
public struct PortHolder: Sendable, Equatable {
    public var pid: Int32?
    public var program: String?
    public var user: UInt32

    public init(pid: Int32?, program: String?, user: UInt32) {
        self.pid = pid
        self.program = program
        self.user = user
    }
}

/// The kernel's table of TCP sockets, seen without touching any of them (sock_diag(7), else /proc/net/tcp).
public enum SocketTable {
    /// Sockets that listen at some of these ports; nil where the system doesn't show them.
    public static func listeners(at ports: ClosedRange<Int>) -> [SocketEntry]? {
        fetch(ports, established: false) ?? parsed(state: "0A")?.filter { ports.contains($0.port) }
    }

    /// Established sockets whose local port is `port`; nil where the system doesn't show them.
    public static func established(localPort port: Int) -> [SocketEntry]? {
        fetch(port...port, established: true) ?? parsed(state: "01")?.filter { $0.port == port }
    }

    /// The user whose process has the other end of a connection within this machine; nil where nobody has it any more, or
    /// where the system doesn't show it.
    public static func user(of client: SocketAddress, connectedTo server: SocketAddress) -> UInt32? {
        var entry = cp_socket_entry()
        let result = try? client.withNative { own, _ in
            Result { () throws(Errno) in try server.withNative { peer, _ in cp_tcp_find(own, peer, &entry) } }
        }.get()
        // What no process has open any more belongs to nobody, and the kernel says user 0.
        if result == 0 { return entry.inode == 0 ? nil : entry.uid }
        if result == -ENOENT { return nil }
        let isV6 = client.family == AF_INET6
        let users = (parsed(state: "01") ?? []).filter {
            $0.port == client.port && $0.peerPort == server.port && $0.isV6 == isV6
        }.map { $0.inode == 0 ? nil : $0.user }
        // Addresses are not compared: where several fit, they must be one user's.
        return Set(users).count == 1 ? users[0] : nil
    }

    /// The inodes of the sockets that a process has open; empty where it is gone or another user's.
    public static func sockets(of pid: Int32) -> Set<UInt64> {
        var inodes: Set<UInt64> = []
        _ = hasSocket(pid) { inode in
            inodes.insert(inode)
            return false
        }
        return inodes
    }

    /// Whether a process has a socket open whose inode fulfils `condition`.
    public static func hasSocket(_ pid: Int32, where condition: (UInt64) -> Bool) -> Bool {
        let folder = "/proc/\(pid)/fd/"
        // A server's listener is mostly among the first that it opens: quicker than having all told.
        if ["3", "4", "5"].contains(where: { socket(folder + $0).map(condition) ?? false }) { return true }
        guard let names = try? Kernel.real.list(folder) else { return false }
        return names.contains { socket(folder + $0).map(condition) ?? false }
    }

    /// The inode of the socket that a link in /proc/PID/fd names; nil where it names something else (proc_pid_fd(5)).
    private static func socket(_ link: String) -> UInt64? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            let length = readlink(link, buffer.baseAddress!, 63)
            guard length > 9 else { return nil }
            buffer[length] = 0
            let name = String(cString: buffer.baseAddress!)
            return name.hasPrefix("socket:[") ? UInt64(name.dropFirst(8).dropLast()) : nil
        }
    }

    /// Who listens on a port; nil if nobody does or the system won't tell.
    public static func holder(ofPort port: Int) -> PortHolder? {
        guard let entry = listeners(at: port...port)?.first else { return nil }
        for process in ProcessTable.snapshot().entries where hasSocket(process.pid, where: { $0 == entry.inode }) {
            return PortHolder(pid: process.pid, program: ProcessTable.program(of: process.pid), user: entry.user)
        }
        return PortHolder(pid: nil, program: nil, user: entry.user)
    }

    private static func fetch(_ ports: ClosedRange<Int>, established: Bool) -> [SocketEntry]? {
        var query = cp_socket_query(
            established: established ? 1 : 0, lowest: UInt16(ports.lowerBound), highest: UInt16(ports.upperBound))
        var capacity = 256
        while true {
            var total: Int32 = 0
            let found = [cp_socket_entry](unsafeUninitializedCapacity: capacity) { buffer, count in
                total = cp_tcp_sockets(&query, buffer.baseAddress!, Int32(capacity))
                count = min(max(Int(total), 0), capacity)
            }
            if total < 0 { return nil }
            if total <= capacity { return found.map(SocketEntry.init) }
            capacity = Int(total) + 64
        }
    }

    /// proc_pid_net(5): `sl local rem st tx:rx tr:when retrnsmt uid timeout inode`, addresses and ports in hex.
    private static func parsed(state: String) -> [SocketEntry]? {
        var result: [SocketEntry] = []
        var seen = false
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let bytes = try? Kernel.real.readFile(path) else { continue }
            seen = true
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[3] == state,
                    let port = fields[1].split(separator: ":").last.flatMap({ Int($0, radix: 16) }),
                    let peer = fields[2].split(separator: ":").last.flatMap({ Int($0, radix: 16) }),
                    let user = UInt32(fields[7]), let inode = UInt64(fields[9])
                else { continue }
                // Each word of an IPv6 address is written as a number of this machine, the IPv4 one's last.
                let isV6 = fields[1].utf8.count > 32 && !fields[1].hasPrefix("0000000000000000FFFF0000")
                result.append(SocketEntry(port: port, peerPort: peer, inode: inode, user: user, isV6: isV6))
            }
        }
        return seen ? result : nil
    }
}

extension SocketEntry {
    fileprivate init(_ native: cp_socket_entry) {
        port = Int(native.port)
        peerPort = Int(native.peer_port)
        inode = native.inode
        user = native.uid
        isV6 = native.family == 6
    }
}
