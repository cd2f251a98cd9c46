/// The OpenSSL of this machine, and where it has its authorities.
public struct TLSSystem: Sendable, Equatable {
    /// As `OpenSSL 3.0.13 30 Jan 2024`.
    public var version: String
    /// A file and a folder, one of which holds the authorities; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    public var trustFile: String
    public var trustFolder: String

    /// - Throws: `libraryMissing` where there is none that can be used.
    public init() throws(TLSError) {
        typealias Version = @convention(c) (Int32) -> UnsafePointer<CChar>?
        typealias Place = @convention(c) () -> UnsafePointer<CChar>?
        let library = try TLSLibrary.shared.get()
        let version: Version = try library.find("OpenSSL_version")
        let file: Place = try library.find("X509_get_default_cert_file")
        let folder: Place = try library.find("X509_get_default_cert_dir")
        let text = { (pointer: UnsafePointer<CChar>?) in pointer.map { String(cString: $0) } ?? "" }
        self.version = text(version(0))
        trustFile = text(file())
        trustFolder = text(folder())
    }
}
