import JSON
import Manifest

/// The files that are looked at where nothing says how a project is run. Paths are relative to its folder.
public struct ProjectFiles {
    /// The names in a folder, sorted; none where it is not there.
    var list: (String) -> [String]
    /// What a file holds; nil where there is none.
    var read: (String) -> String?

    public init(list: @escaping (String) -> [String], read: @escaping (String) -> String?) {
        self.list = list
        self.read = read
    }
}

extension ImportedManifest {
    /// What `surroundings` knows.
    public static let projectFiles = ["Package.swift", "package.json", "go.mod", "Cargo.toml", "manage.py"]

    /// Makes a manifest by looking around, in the folder and one level below.
    public static func surroundings(_ files: ProjectFiles, _ origin: ImportOrigin) throws(ImportError)
        -> ImportedManifest
    {
        var draft = Draft(origin)
        let own = origin.manifestFolder.split(separator: "/").last.map(String.init) ?? "app"
        draft.services = ProjectFolder(path: ".", name: own, files: files).services
        for name in files.list(".") where !name.hasPrefix(".") && !outputFolders.contains(name) {
            draft.services += ProjectFolder(path: name, name: name, files: files).services
        }
        return try draft.finished()
    }

    /// Made by tools, and full of other people's programs.
    private static let outputFolders: Set<String> = [
        "build", "dist", "node_modules", "target", "vendor", "venv", "Pods",
    ]
}

/// One folder that may hold programs to run.
private struct ProjectFolder {
    let path: String
    let name: String
    let files: ProjectFiles

    var services: [DraftService] {
        let names = Set(files.list(path))
        var found: [DraftService] = []
        if names.contains("Package.swift") { found += swiftPackage }
        if names.contains("package.json"), let service = nodePackage(names) { found.append(service) }
        if names.contains("go.mod") { found += goModule }
        if names.contains("Cargo.toml") { found += cargoPackage }
        if names.contains("manage.py") { found.append(djangoProject(names)) }
        return found
    }

    private func read(_ file: String) -> String { files.read(path == "." ? file : "\(path)/\(file)") ?? "" }

    private func names(in folder: String) -> [String] {
        files.list(path == "." ? folder : folder == "." ? path : "\(path)/\(folder)")
    }

    private func service(_ name: String, build: String? = nil, run: String) -> DraftService {
        var service = DraftService(name)
        service.directory = path == "." ? nil : Dollars.escaped(path)
        service.build = build.map { .string($0) }
        service.run = .string(run)
        service.watchesFiles = build != nil
        if DraftService.Listening(of: run) == nil { service.comments = ["It has to listen on $PORT."] }
        return service
    }

    /// Each executable product, else each executable target.
    private var swiftPackage: [DraftService] {
        // Comments name programs, too.
        let lines = read("Package.swift").split(whereSeparator: \.isNewline)
        let text = lines.compactMap { $0.split(separator: "//", omittingEmptySubsequences: false).first }
            .joined(separator: "\n")
        let products = Self.names(after: ".executable(", in: text)
        let programs = products.isEmpty ? Self.names(after: ".executableTarget(", in: text) : products
        return programs.filter(ServiceNaming.isPlain).map { name in
            service(name, build: "swift build --product \(name)", run: ".build/debug/\(name)")
        }
    }

    /// The script that developers run, by the package manager whose lock file is there, or where the workspace is.
    private func nodePackage(_ names: Set<String>) -> DraftService? {
        let json = try? JSON(parsing: read("package.json"))
        // Of a workspace, the packages below are what runs.
        guard let scripts = json?["scripts"], json?["workspaces"] == nil, !names.contains("pnpm-workspace.yaml"),
            let script = ["dev", "start"].first(where: { scripts[$0]?.stringValue?.isEmpty == false })
        else { return nil }
        let locks = [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun")]
        let manager = [names, Set(files.list("."))].lazy.compactMap { names in
            locks.first { names.contains($0.0) }?.1
        }.first
        var service = service(name, run: "\(manager ?? "npm") run \(script)")
        if let listens = scripts[script]?.stringValue.flatMap(DraftService.Listening.init) {
            service.listens = listens
            service.comments = []
        }
        return service
    }

    /// The main package of its top, and those in `cmd`.
    private var goModule: [DraftService] {
        var found: [DraftService] = []
        if isProgram(".") {
            let program = ServiceNaming.name(for: name)
            found.append(service(name, build: "go build -o bin/\(program) .", run: "bin/\(program)"))
        }
        for command in names(in: "cmd").filter(ServiceNaming.isPlain)
        where isProgram("cmd/\(command)") {
            found.append(service(command, build: "go build -o bin/\(command) ./cmd/\(command)", run: "bin/\(command)"))
        }
        return found
    }

    /// Whether a folder of Go files is package main.
    private func isProgram(_ folder: String) -> Bool {
        names(in: folder).contains { file in
            file.hasSuffix(".go") && !file.hasSuffix("_test.go")
                && read(folder == "." ? file : "\(folder)/\(file)").split(whereSeparator: \.isNewline).contains {
                    $0.hasPrefix("package main")
                }
        }
    }

    /// Each `[[bin]]`, `src/bin/*.rs`, and the package's own where it has `src/main.rs`.
    private var cargoPackage: [DraftService] {
        var programs: [String] = []
        var section = ""
        for line in read("Cargo.toml").split(whereSeparator: \.isNewline) {
            let line = line.filter { !$0.isWhitespace }
            if line.hasPrefix("[") { section = String(line) }
            guard line.hasPrefix("name=\""), let name = line.dropFirst(6).split(separator: "\"").first else { continue }
            let isMain = section == "[package]" && names(in: "src").contains("main.rs")
            if section == "[[bin]]" || isMain { programs.append(String(name)) }
        }
        programs += names(in: "src/bin").filter { $0.hasSuffix(".rs") }.map { String($0.dropLast(3)) }
        var seen: Set<String> = []
        return programs.filter { ServiceNaming.isPlain($0) && seen.insert($0).inserted }.map { program in
            service(program, build: "cargo build --bin \(program)", run: "cargo run --quiet --bin \(program)")
        }
    }

    private func djangoProject(_ names: Set<String>) -> DraftService {
        let environment = [".venv", "venv"].first { names.contains($0) }
        let python = environment.map { "\($0)/bin/python" } ?? "python3"
        return service(name, run: "\(python) manage.py runserver 127.0.0.1:$PORT")
    }

    /// The texts of `name: "…"` that stand first behind a word of Swift's package description.
    private static func names(after word: String, in text: String) -> [String] {
        text.split(separator: word, omittingEmptySubsequences: false).dropFirst().compactMap { rest in
            let call = rest.filter { !$0.isWhitespace }
            guard call.hasPrefix("name:\"") else { return nil }
            return call.dropFirst(6).split(separator: "\"", omittingEmptySubsequences: false).first.map(String.init)
        }
    }
}
