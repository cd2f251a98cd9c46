import Manifest
import Platform

extension LocatedProject {
    /// Reads the manifest and the envFiles that it names.
    ///
    /// - Parameters:
    ///   - environment: what `up` inherited, for `${}`.
    ///   - currentDirectory: diagnostics name the manifest as it is seen from there.
    ///   - onRead: called with the path of each envFile, there or not.
    public func readManifest(
        environment: [String: String], currentDirectory: String, kernel: Kernel = .real,
        onRead: @escaping (String) -> Void = { _ in }
    ) throws(ProjectError) -> LoadedManifest {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try kernel.readFile(manifest) } catch {
            throw .unreadable(path: manifest, error)
        }
        let signals = StopPolicy.linuxSignals.map { ($0.key, Signal(name: $0.key)?.number ?? $0.value) }
        return Manifest.load(
            bytes, path: manifest, name: path(seenFrom: currentDirectory), environment: environment,
            signals: Dictionary(uniqueKeysWithValues: signals), checkTLS: TLSFileFault.init(in:)
        ) { path in
            onRead(path)
            // The mesh reads these, too, and must not wait for anybody who writes into a pipe.
            if let status = kernel.status(path) {
                if status.kind == .other { return .failure(FileFailure(reason: "it is no regular file")) }
                if status.size > 16 << 20 { return .failure(FileFailure(reason: "it is larger than 16 MB")) }
            }
            do throws(Errno) {
                return .success(try kernel.readFile(path))
            } catch {
                return .failure(FileFailure(reason: error.description))
            }
        }
    }

    /// Names the manifest as a user in `folder` would: `services.json`, `../services.json`, else the whole path.
    public func path(seenFrom folder: String) -> String {
        if manifest.hasPrefix(folder + "/") { return String(manifest.dropFirst(folder.count + 1)) }
        let above = directory == "/" ? "/" : directory + "/"
        guard folder.hasPrefix(above) else { return manifest }
        let steps = folder.dropFirst(above.count).split(separator: "/").count
        return String(repeating: "../", count: steps) + fileName
    }
}
