import JSON
import Manifest

extension ImportedManifest {
    /// Makes a manifest from a Procfile, as foreman, overmind and Heroku read it: `NAME: COMMAND`, a line each.
    public static func procfile(_ text: String, _ origin: ImportOrigin) throws(ImportError) -> ImportedManifest {
        var draft = Draft(origin)
        // Editors on Windows begin files with a mark of their own.
        let text = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let colon = line.firstIndex(of: ":") else {
                draft.note("line \(index + 1) was left out: it is not NAME: COMMAND")
                continue
            }
            let (name, command) = (line[..<colon].trimmed, line[colon...].dropFirst().trimmed)
            guard !name.isEmpty, !command.isEmpty, let run = JSON.string(String(command)).plainText else {
                draft.note("line \(index + 1) was left out: it is not NAME: COMMAND")
                continue
            }
            var service = DraftService(String(name))
            service.directory = origin.directory(".")
            service.run = .string(run)
            if name == "release" {
                service.isJob = true
                service.restart = "never"
                service.listens = .nowhere
            } else if let listens = DraftService.Listening(of: run) {
                service.listens = listens
            } else if name != "web" {
                // By convention web alone is reached from outside.
                service.listens = .nowhere
                service.comments = [DraftService.Listening.unsaid]
            }
            draft.services.append(service)
        }
        return try draft.finished()
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = drop { $0.isWhitespace }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
