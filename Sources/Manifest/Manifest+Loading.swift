import JSON

/// What came of reading a manifest.
public enum LoadedManifest: Sendable {
    /// It can be used; the warnings are for the user to read.
    case valid(Manifest, warnings: [Diagnostic])
    /// All that is wrong, at least one error; warnings too.
    case invalid([Diagnostic])
}

/// Why a file could not be read, in words: `No such file or directory`.
public struct FileFailure: Error, Equatable {
    public var reason: String

    public init(reason: String) {
        self.reason = reason
    }
}

extension Manifest {
    /// Reads, checks and expands a manifest. Pure: files come through `readFile`.
    ///
    ///     bytes → JSONDocument → ShapeChecker → ManifestReader → ManifestRules → Manifest
    ///
    /// - Parameters:
    ///   - path: the real path of the manifest.
    ///   - name: how diagnostics call it; default: the last part of the path.
    ///   - environment: what `up` inherited, for `${}`.
    ///   - signals: the numbers of the names `TERM`, `INT`, … on this system.
    ///   - readFile: reads an envFile or a certificate, given its absolute path.
    ///   - checkTLS: what is wrong with the files of a `tls`, all of which can be read.
    public static func load(
        _ bytes: [UInt8], path: String, name: String? = nil, environment: [String: String],
        signals: [String: Int32] = StopPolicy.linuxSignals,
        checkTLS: @escaping (Remote.TLS) -> TLSFileFault? = { _ in nil },
        readFile: @escaping (String) -> Result<[UInt8], FileFailure>
    ) -> LoadedManifest {
        let document = JSONDocument(parsing: bytes)
        let parts = path.split(separator: "/")
        let report = Report(document: document, file: name ?? parts.last.map(String.init) ?? path)
        for error in document.errors {
            let trail = KeyTrail(to: error.offset, in: document.root)
            report.error(.syntax(error.problem, isSecret: trail.isSecret), at: error.offset, trail)
        }
        ShapeChecker(report: report).check(document.root, ManifestKeys.top, at: KeyTrail())
        let roster = Roster(document.root["services"])
        let reader = ManifestReader(
            report: report, folder: "/" + parts.dropLast().joined(separator: "/"), inherited: environment,
            signals: signals, readFile: readFile, checkTLS: checkTLS)
        let manifest = reader.read(document.root, roster, path: path)
        ManifestRules(report: report, roster: roster, manifest: manifest).run(isWhole: document.errors.isEmpty)
        let diagnostics = report.diagnostics
        return report.hasErrors ? .invalid(diagnostics) : .valid(manifest, warnings: diagnostics)
    }
}
