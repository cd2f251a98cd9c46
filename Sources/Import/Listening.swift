import JSON

extension DraftService.Listening {
    /// What a command line says about its port: `$PORT`, or a number behind `-p` or `--port`. Nil: nothing.
    init?(of command: String) {
        if command.contains("$PORT") || command.contains("${PORT") {
            self = .assigned
            return
        }
        let words = command.split { $0.isWhitespace || $0 == "=" }
        let program = words.first?.split(separator: "/").last ?? ""
        if program.hasSuffix("-cli") || Self.clients.contains(String(program)) { return nil }
        for (word, next) in zip(words, words.dropFirst()) where word == "-p" || word == "--port" {
            if let port = Int(next), 1...65535 ~= port {
                self = .fixed(port)
                return
            }
        }
        return nil
    }

    /// Programs whose `-p` is somebody else's port.
    private static let clients: Set<String> = [
        "mongo", "mongosh", "mysql", "nc", "pg_isready", "psql", "ssh", "telnet",
    ]

    /// Above a service of which nothing says that it listens.
    static let unsaid = "Nothing says that it listens. If it does, on $PORT, remove \"listens\"."
}
