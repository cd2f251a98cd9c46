import Platform

/// Opens Unix sockets to listen on.
public enum UnixListener {
    /// Listens at `path`, for this user only (0600). The folder must be there, and private (0700).
    ///
    /// A socket file that is there already is replaced only if a connect to it fails, which means that its server is
    /// dead. The caller keeps two processes from doing this at the same time.
    public static func bind(_ path: String, kernel: Kernel = .real) throws(GatewayError) -> Descriptor {
        do throws(Errno) {
            return try open(path, kernel)
        } catch {
            guard error == .addressInUse else { throw .cannotListen(path: path, error) }
        }
        guard isDead(path, kernel) else { throw .alreadyServed(path: path) }
        do throws(Errno) {
            try kernel.remove(path)
            return try open(path, kernel)
        } catch {
            throw .cannotListen(path: path, error)
        }
    }

    private static func open(_ path: String, _ kernel: Kernel) throws(Errno) -> Descriptor {
        let descriptor = try kernel.listen(at: .unix(path), reuse: false)
        try kernel.setPermissions(path, 0o600)
        return descriptor
    }

    private static func isDead(_ path: String, _ kernel: Kernel) -> Bool {
        do throws(Errno) {
            let probe = try kernel.socket(for: .unix(path))
            _ = try kernel.connect(probe, to: .unix(path))
            return false
        } catch {
            return error == .connectionRefused
        }
    }
}
