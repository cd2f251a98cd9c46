import Platform

extension Places {
    /// Makes the user's own certificate authority, unless there is one; only the user may read its key.
    /// - Returns: whether it is new.
    public func makeAuthority(kernel: Kernel = .real) throws(ProjectError) -> Bool {
        let files = authority
        if kernel.status(files.certificate) != nil, kernel.status(files.key) != nil { return false }
        let made: (certificate: [UInt8], key: [UInt8])
        do throws(TLSError) { made = try TLSAuthority.make(named: "devmesh, for this machine only") } catch {
            throw .tls(error)
        }
        for (path, bytes) in [(files.key, made.key), (files.certificate, made.certificate)] {
            do throws(Errno) {
                try kernel.makingFolder(state) { () throws(Errno) in try kernel.replaceFile(path, with: bytes) }
            } catch {
                throw .unwritable(path: path, error, mend: "Make room and check who owns the folder, then try again.")
            }
        }
        return true
    }
}
