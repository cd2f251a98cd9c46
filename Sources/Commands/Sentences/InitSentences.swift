import Import
import Platform

/// What `init` says.
extension Sentences {
    static func imported(_ file: String, _ services: [String]) -> String {
        let names = services.isEmpty ? "" : ": " + Phrase.list(services, joined: "and")
        return """
            \(file) is written, with \(Phrase.count(services.count, "service"))\(names).
            Look it over; `devmesh check` validates it, `devmesh up` starts it.
            """
    }

    static func holdsSecrets(_ file: String, _ names: [String], isWritten: Bool) -> String {
        "\(file) holds what look like secrets\(isWritten ? ", so only you may read it" : ""): "
            + "\(Phrase.list(names, joined: "and")). Move them to an `envFile` before others get it."
    }

    static func manifestExists(_ file: String) -> String {
        "\(file) is there already, and is left as it is. `devmesh init --stdout` prints what would be written; "
            + "`-f` names another file."
    }

    static func cannotWriteFile(_ file: String, _ error: Errno) -> String { "\(file) could not be written: \(error)." }

    static func cannotReadFile(_ file: String, _ error: Errno) -> String { "\(file) could not be read: \(error)." }

    static func cannotRun(_ program: String, _ error: Errno) -> String { "\(program) could not be run: \(error)." }

    static func overrideIgnored(_ file: String) -> String {
        "\(file) is here, too, and was not read, as \"docker compose -f\" does not either"
    }

    static func processOverrideIgnored(_ file: String) -> String {
        "\(file) is here, too, and was not read, though process-compose merges it"
    }

    static func notImported(_ file: String) -> String {
        "\(file) is here, too, and was not read; `devmesh init --from \(file) --stdout` shows what it comes to"
    }

    static func nothingToImport(_ folder: String) -> String {
        "There is nothing in \(folder) or one level below to make a manifest from: no "
            + Phrase.list(ImportFormat.fileNames + ImportedManifest.projectFiles, joined: "or")
            + " with something to run. `devmesh help init` says what is read; README.md shows a manifest to begin with."
    }

    static func unknownFormat(_ file: String) -> String {
        "\(file) is none of what can be read: a Procfile, process-compose's file with `processes` at its top, a compose "
            + "file with `services` at its top, each as YAML or JSON."
    }

    /// - Parameter last: the program that was tried last, with what it said.
    static func cannotConvert(_ file: String, last: (program: String, complaint: String)?) -> String {
        guard let last else {
            return "\(file) can't be read: nothing here turns YAML into JSON. Install yq, or python3 or ruby with "
                + "their YAML modules; or convert it yourself and give the JSON to `--from`."
        }
        let complaint = last.complaint.isEmpty ? "" : ": \(last.complaint)"
        return "\(file) could not be turned from YAML into JSON by \(last.program)\(complaint). Mend it; or, if it is "
            + "sound, install yq, or python3 or ruby with their YAML modules, or give its JSON to `--from`."
    }

    static func needsDocker(_ file: String) -> String {
        "\(file) is read by `docker compose config`, and there is no program docker on the PATH. Install docker with its "
            + "compose plug-in; or run `docker compose config --format json > compose.json` where it is, and "
            + "`devmesh init --from compose.json` here."
    }

    static func cannotCompose(_ file: String) -> String {
        "`docker compose config` could not read \(file); what it says stands above. It is docker's compose plug-in that "
            + "is needed; its JSON can also be given to `--from`."
    }

    static func cannotImport(_ error: ImportError) -> String {
        switch error {
        case .unexpected(let source, let expected): "\(source) has no `\(expected)` at its top, which are what is read."
        case .unresolved(let source):
            "\(source) is a compose file as people write it. `docker compose -f \(source) config --format json` resolves it: "
                + "what that prints is what is read."
        case .noServices(let source): "\(source) names nothing to run."
        }
    }
}
