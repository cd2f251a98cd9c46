import Plan
import Platform

/// Asks the system about ports, by binding them.
public struct PortProbe: Sendable {
    private let kernel: Kernel
    private let hasV6: Bool
    private let places: Places?

    /// - Parameter places: where other meshes are looked for that have a port.
    public init(places: Places? = nil, kernel: Kernel = .real) {
        self.kernel = kernel
        self.places = places
        hasV6 = hasLoopback6(kernel)
    }

    /// Tells who keeps devmesh from listening on a port at 127.0.0.1 or, where the machine has it, ::1; nil if nobody.
    public func owner(of port: Int) -> PortOwner? {
        guard (1...65_535).contains(port) else { return .unknown }
        for address in hasV6 ? [SocketAddress.loopback(port), .loopback6(port)] : [.loopback(port)] {
            do throws(Errno) { _ = try kernel.listen(at: address, backlog: 1) } catch {
                switch error {
                case .addressInUse: return holder(of: port)
                case .accessDenied, .notPermitted: return .system
                // Anything else is not about this port; whoever listens there for good will say what it is.
                default: continue
                }
            }
        }
        return nil
    }

    /// Whether a program could listen on a port wherever it wants, with or without SO_REUSEADDR. Ports whose
    /// connections are in TIME_WAIT are not, so one that was just used is passed over.
    public func isFree(_ port: Int) -> Bool { canBind(port, reusing: false) }

    /// Whether one could that sets SO_REUSEADDR.
    public func isReusable(_ port: Int) -> Bool { canBind(port, reusing: true) }

    /// A program that is started meanwhile must not get a copy of the bound socket: it would keep the port.
    private func canBind(_ port: Int, reusing: Bool) -> Bool {
        ChildTable.whileNothingForks { bindOnce(port, reusing: reusing) }
    }

    private func bindOnce(_ port: Int, reusing: Bool) -> Bool {
        // Bound to both families at once (ipv6(7)), where there are two.
        for address in [SocketAddress.v6(0, 0, port: UInt16(port), scope: 0), .v4(0, port: UInt16(port))] {
            do throws(Errno) {
                let probe = try kernel.socket(for: address)
                kernel.setBothFamilies(probe)
                if reusing { kernel.setReusesAddress(probe) }
                try kernel.bind(probe, to: address)
                return true
            } catch {
                if error == .addressInUse || error == .accessDenied { return false }
            }
        }
        return true
    }

    private func holder(of port: Int) -> PortOwner {
        guard let holder = SocketTable.holder(ofPort: port) else { return .unknown }
        guard let pid = holder.pid else { return .user(userName(holder.user)) }
        if let mesh = mesh(of: pid) { return .mesh(manifest: mesh.manifest) }
        return .process(pid: pid, program: holder.program ?? "a program")
    }

    /// The mesh that a process belongs to: the supervisor, or one of the two that guard it and have the same sockets.
    private func mesh(of pid: Int32) -> MeshRecord? {
        let meshes = places.map { MeshRecord.all($0, kernel: kernel) } ?? []
        return meshes.first { mesh in
            sequence(first: mesh.pid) { ProcessTable.entry($0)?.parent }.prefix(3).contains(pid)
        }
    }

    /// Looks the name up in /etc/passwd, where local accounts are; a number is good enough for others.
    private func userName(_ user: UInt32) -> String {
        let accounts = String(decoding: (try? kernel.readFile("/etc/passwd")) ?? [], as: UTF8.self)
        for line in accounts.split(separator: "\n") {
            // passwd(5): name:password:UID:…
            let fields = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
            if fields.count > 2, UInt32(fields[2]) == user { return String(fields[0]) }
        }
        return "\(user)"
    }
}

/// The range from which the kernel takes ports by itself (ip(7), ip_local_port_range); IANA's where it doesn't say.
public func ephemeralPorts(_ kernel: Kernel = .real) -> ClosedRange<Int> {
    let text = (try? kernel.readFile("/proc/sys/net/ipv4/ip_local_port_range")) ?? []
    let numbers = String(decoding: text, as: UTF8.self).split { $0 == "\t" || $0 == " " || $0 == "\n" }.compactMap {
        Int($0)
    }
    guard numbers.count == 2, numbers[0] <= numbers[1] else { return 49_152...65_535 }
    return numbers[0]...numbers[1]
}
