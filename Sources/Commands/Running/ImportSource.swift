import Import
import JSON
import Manifest
import Platform

/// What `init` makes a manifest from: found, read, and where it is YAML turned into JSON by another program.
struct ImportSource {
    /// Where the manifest will lie, and where it is looked around.
    var folder: String
    var session: Session

    /// - Parameter file: what `--from` says; nil: what is found.
    func read(_ file: String?) throws(CommandFailure) -> ImportedManifest {
        if let file {
            return try read(Path.join(session.directory, file), as: file, isFound: false)
        }
        let found = ImportFormat.fileNames.filter { Kernel.real.status(Path.join(folder, $0))?.kind == .file }
        if let first = found.first {
            var manifest = try read(Path.join(folder, first), as: first, isFound: true)
            manifest.notes += found.dropFirst().map(Sentences.notImported)
            return manifest
        }
        let files = ProjectFiles { [folder] path in
            (try? Kernel.real.list(Path.join(folder, path))) ?? []
        } read: { [folder] path in
            (try? Kernel.real.readFile(Path.join(folder, path))).map { String(decoding: $0, as: UTF8.self) }
        }
        let origin = ImportOrigin(source: "the programs found here", folder: folder, manifestFolder: folder)
        do throws(ImportError) {
            return try .surroundings(files, origin)
        } catch { throw .failed(Sentences.nothingToImport(folder)) }
    }

    private func read(_ path: String, as name: String, isFound: Bool) throws(CommandFailure) -> ImportedManifest {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try Kernel.real.readFile(path) } catch {
            throw .failed(Sentences.cannotReadFile(name, error))
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let format = ImportFormat(file: Path.name(path), holding: text) else {
            throw .failed(Sentences.unknownFormat(name))
        }
        var origin = ImportOrigin(
            source: name, folder: Path.parent(path), manifestFolder: folder,
            environmentFile: try? Kernel.real.readFile(Path.join(Path.parent(path), ".env")),
            imageBuilder: imageBuilder)
        switch format {
        case .procfile:
            return try importing { () throws(ImportError) in try .procfile(text, origin) }
        case .processCompose(let isYAML):
            let json = isYAML ? try json(ofYAML: path, as: name) : try? JSON(parsing: bytes)
            var manifest = try importing { () throws(ImportError) in try .processCompose(json ?? .null, origin) }
            manifest.notes += ["process-compose.override.yaml", "process-compose.override.yml"]
                .filter { isThere($0, beside: path) }.map(Sentences.processOverrideIgnored)
            return manifest
        case .compose(let isYAML):
            let json = isYAML ? try composed(path, as: name, isFound: isFound) : try? JSON(parsing: bytes)
            // Compose has read it.
            origin.environmentFile = nil
            var manifest = try importing { () throws(ImportError) in try .compose(json ?? .null, origin) }
            if !isFound { manifest.notes += overrides(beside: path).map(Sentences.overrideIgnored) }
            return manifest
        }
    }

    /// The program here that builds images.
    private var imageBuilder: String {
        let path = session.environment["PATH"]
        return Container.clients.first { (try? Executable.find($0, path: path, directory: folder)) != nil } ?? "docker"
    }

    /// What docker would have merged into the file that it finds by itself.
    private func overrides(beside path: String) -> [String] {
        [
            "compose.override.yaml", "compose.override.yml", "docker-compose.override.yaml",
            "docker-compose.override.yml",
        ]
        .filter { isThere($0, beside: path) }
    }

    private func isThere(_ name: String, beside path: String) -> Bool {
        Kernel.real.status(Path.join(Path.parent(path), name)) != nil
    }

    private func importing(_ body: () throws(ImportError) -> ImportedManifest) throws(CommandFailure)
        -> ImportedManifest
    {
        do { return try body() } catch { throw .failed(Sentences.cannotImport(error)) }
    }

    // MARK: YAML

    /// Programs that print YAML as JSON: both that are called yq, and languages that have it in a library.
    private static let converters: [[String]] = [
        ["yq", "-o=json", "."], ["yq", "."],
        ["python3", "-c", "import json,sys,yaml;json.dump(yaml.safe_load(open(sys.argv[1])),sys.stdout,default=str)"],
        ["ruby", "-ryaml", "-rjson", "-e", "puts YAML.load(File.read(ARGV[0]), aliases: true).to_json"],
    ]

    private func json(ofYAML path: String, as name: String) throws(CommandFailure) -> JSON {
        var last: (String, String)?
        for converter in Self.converters {
            guard let printed = try printed(by: converter + [path], in: Path.parent(path)) else { continue }
            if let json = try? JSON(parsing: printed.output), json.objectValue != nil { return json }
            let lines = String(decoding: printed.errors, as: UTF8.self).split(whereSeparator: \.isNewline)
            last = (converter[0], lines.last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? "")
        }
        throw .failed(Sentences.cannotConvert(name, last: last))
    }

    /// As docker's own plug-in reads it, with what it includes, extends and takes from `.env`; all profiles.
    /// - Parameter isFound: whether it is what docker takes by itself there, with the override beside it.
    private func composed(_ path: String, as name: String, isFound: Bool) throws(CommandFailure) -> JSON {
        let choice = isFound ? [] : ["-f", path]
        let words = ["docker", "compose", "--profile", "*"] + choice + ["config", "--format", "json"]
        guard let printed = try printed(by: words, in: Path.parent(path)) else {
            throw .failed(Sentences.needsDocker(name))
        }
        try session.notices.write(String(decoding: printed.errors, as: UTF8.self))
        guard let json = try? JSON(parsing: printed.output) else { throw .failed(Sentences.cannotCompose(name)) }
        return json
    }

    /// What a program prints; nil where there is no such program. How it ends is no matter: half of a JSON text is none.
    private func printed(by words: [String], in directory: String) throws(CommandFailure)
        -> (output: [UInt8], errors: [UInt8])?
    {
        let path = session.environment["PATH"]
        guard let program = try? Executable.find(words[0], path: path, directory: directory) else { return nil }
        let request = SpawnRequest(
            path: program, arguments: words, environment: session.environment, directory: directory)
        do throws(Errno) {
            let kernel = Kernel.real
            let output = try kernel.pipe()
            let errors = try kernel.pipe()
            // Room for all that it may complain of while its output is read.
            kernel.setPipeSize(errors.writer, 1 << 20)
            let pid: Int32
            do throws(SpawnFailure) {
                pid = try ChildTable.spawn(request, stdout: output.writer.raw, stderr: errors.writer.raw)
            } catch { throw error.error }
            // Now the program alone can write: its ends are the pipes'.
            output.writer.close()
            errors.writer.close()
            defer { _ = ChildTable.wait(pid) }
            do throws(Errno) {
                return (try kernel.readToEnd(output.reader), try kernel.readToEnd(errors.reader))
            } catch {
                ChildTable.signal(pid, .kill, group: true)
                throw error
            }
        } catch { throw .failed(Sentences.cannotRun(program, error)) }
    }
}
