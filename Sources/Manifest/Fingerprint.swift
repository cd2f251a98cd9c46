import JSON

/// A short text that differs where a service has changed (contract §2, "What counts as changed").
enum Fingerprint {
    static func of(_ service: Service, entry: JSONSyntax, topVariables: [Variable]) -> String {
        var bytes: [UInt8] = []
        canonical(entry.json, without: Self.others).append(to: &bytes)
        // What the entry's `${}` and envFile gave, and what is set for all.
        append(topVariables.flatMap { [$0.name, $0.value] }, to: &bytes)
        append(service.variables.flatMap { [$0.name, $0.value] }, to: &bytes)
        append([service.limits.memory, service.limits.cpu].map { $0.map(String.init) ?? "" }, to: &bytes)
        append([service.directory] + texts(of: service.remote), to: &bytes)
        if let container = service.container {
            append([container.image] + container.volumes, to: &bytes)
            append(container.command, to: &bytes)
        }
        for command in [service.build, service.run, command(of: service.ready.kind), command(of: service.live?.kind)] {
            if case .argv(let words) = command { append(words, to: &bytes) }
        }
        return FNV1a.digits(of: bytes) + FNV1a.digits(of: bytes, basis: 0x9ae1_6a3b_2f90_404f)
    }

    /// Headers are no keys of the user's own where they begin with x-.
    private static func texts(of remote: Remote?) -> [String] {
        guard let remote else { return [] }
        let tls = remote.tls
        return [remote.url, remote.hostHeader]
            + [tls?.ca, tls?.certificate, tls?.key, tls?.serverName].map { $0 ?? "" }
            + remote.headers.flatMap { [$0.name, $0.value] }
    }

    private static func command(of probe: ReadyProbe.Kind?) -> Command? {
        if case .command(let command) = probe { command } else { nil }
    }

    /// Lengths keep ["ab", "c"] and ["a", "bc"] apart.
    private static func append(_ texts: [String], to bytes: inout [UInt8]) {
        for text in [String(texts.count)] + texts {
            bytes.append(contentsOf: String(text.utf8.count).utf8)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(contentsOf: text.utf8)
        }
    }

    /// Keys that no process need be restarted for: versions are units by themselves, what becomes of requests on their
    /// way is the front's business, and what is watched that of whoever watches.
    private static let others = ["versions", "watch", "route", "timeouts", "retries", "limits", "hosts", "paths"]

    /// Neither order nor what is the user's own counts.
    /// - Parameter others: members that are something by themselves.
    private static func canonical(_ json: JSON, without others: [String] = []) -> JSON {
        switch json {
        case .array(let elements): .array(elements.map { canonical($0) })
        case .object(let members):
            .object(
                members.filter { !$0.name.hasPrefix("x-") && !others.contains($0.name) }
                    .map { .init($0.name, canonical($0.value)) }
                    .sorted { $0.name < $1.name })
        default: json
        }
    }
}
