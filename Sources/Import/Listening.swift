import JSON

extension DraftService.Listening {
    /// What a command line says about its port: `$PORT`, or a number behind an option for it or in `PORT=`. Nil: nothing.
    init?(of command: String) {
        if Self.namesPort(command) {
            self = .assigned
            return
        }
        var words = command.split { $0.isWhitespace }
        while let word = words.first, let equals = word.firstIndex(of: "="), !word.hasPrefix("-") {
            if word[..<equals] == "PORT", let port = Self.port(word[equals...].dropFirst()) {
                self = .fixed(port)
                return
            }
            words.removeFirst()
        }
        let program = words.first?.split(separator: "/").last ?? ""
        if program.hasSuffix("-cli") || Self.clients.contains(String(program)) { return nil }
        let parts = words.flatMap { $0.split(separator: "=") }
        for (word, next) in zip(parts, parts.dropFirst() + [""]) {
            let port: Int? =
                switch word {
                case "-p", "--port": Self.port(next)
                case "-b", "--bind", "--listen":
                    next.contains(":") ? next.split(separator: ":").last.flatMap(Self.port) : nil
                default: word.hasPrefix("-p") ? Self.port(word.dropFirst(2)) : nil
                }
            guard let port else { continue }
            self = .fixed(port)
            return
        }
        return nil
    }

    private static func port(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = Int(text), 1...65535 ~= port else { return nil }
        return port
    }

    /// Whether it has `$PORT` or `${PORT…}`, and not just a variable whose name begins so.
    private static func namesPort(_ command: String) -> Bool {
        ["$PORT", "${PORT"].contains { reference in
            command.ranges(of: reference).contains { range in
                let next = command[range.upperBound...].first
                return !(next.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false)
            }
        }
    }

    /// Programs whose `-p` is somebody else's port.
    private static let clients: Set<String> = [
        "mongo", "mongosh", "mysql", "nc", "pg_isready", "psql", "ssh", "telnet",
    ]

    /// Above a service of which nothing says that it listens.
    static let unsaid = "Nothing says that it listens. If it does, on $PORT, remove \"listens\"."
}
