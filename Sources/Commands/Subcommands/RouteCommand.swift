import Control
import JSON
import Manifest

/// `devmesh route SERVICE [TARGET=WEIGHT…]`
enum RouteCommand: Subcommand {
    static let spec = CommandSpec(
        name: "route",
        abstract: "share a service's requests out among targets",
        group: .service,
        details: """
            What is said is added to the route that holds: new weights take the place of the old ones, and so does \
            what is said of the same header, cookie or caller. Targets that are stopped are started first. A header \
            or cookie that matches wins over the caller, and that over the weights. Without anything to change it \
            shows the route.

            Headers count also as members of `baggage` (x-user=me), which many tracing libraries pass on from service \
            to service. `devmesh use` replaces the whole route; `devmesh down` forgets it.
            """,
        arguments: [
            ArgumentSpec("SERVICE", .one, .service, "which one"),
            ArgumentSpec("TARGET=WEIGHT", .any, .target, "how much each target gets; a target alone gets all"),
        ],
        options: [
            .value("header", "HEADER", .text, "requests with this header go to a target, as 'x-user: me=next'"),
            .value("cookie", "COOKIE", .text, "the same by cookie, as 'user=me=next'"),
            .value("from", "CALLER", .service, "the targets and weights are for the calls of this service"),
            .value("mirror", "TARGET", .text, "a copy of each request goes there, too; its responses are discarded"),
            .flag("no-mirror", "no copies any more"),
            .flag("sticky", "a client gets the target again that it got before"),
            .value("sticky-header", "NAME", .text, "the same; this header tells the client"),
            .value("sticky-cookie", "NAME", .text, "the same; this cookie tells the client"),
            .flag("no-sticky", "a client gets whichever comes next"),
            .value("propagate", "HEADER", .text, "look for headers in this one, too, beside baggage"),
            .flag("clear", "begin with what the manifest says"), .json,
        ],
        examples: [
            .init("devmesh route members local=90 next=10", "a tenth of the requests goes to the version next"),
            .init("devmesh route members --header 'x-user: me=next'", "only requests that say so"),
            .init("devmesh route members --from reader next", "only the calls of reader"),
            .init("devmesh route members --mirror next", "next gets copies; nobody waits for it"),
            .init("devmesh route members", "how it is"),
            .init("devmesh route members --clear", "as the manifest says"),
        ])

    static func run(_ arguments: Arguments, in session: Session) throws(CommandFailure) -> Int32 {
        let service = arguments.positionals[0]
        let change: RouteChange? = try session.usage { () throws(UsageError) in try Self.change(of: arguments) }
        let mesh = try session.mesh()
        guard let change else {
            let status = try mesh.ask { (client) throws(ControlError) in try client.route(of: service) }
            if arguments.has("json") {
                try session.output.line(status.json.serialized())
            } else {
                try session.output.show(RouteTable(status: status).table)
                try session.output.lines(RouteTable(status: status).footnotes)
            }
            return 0
        }
        let result = try mesh.ask { (client) throws(ControlError) in try client.changeRoute(of: service, change) }
        if arguments.has("json") {
            try session.output.line(result.json.serialized())
            return result.ok ? 0 : ExitCode.failed.rawValue
        }
        guard result.ok else {
            try ServiceActions.show(buildOf: result, in: session)
            throw .failed(Sentences.couldNotRoute(result.service, result.reason))
        }
        if let remark = result.reason { try session.complain(remark) }
        let isReset = change == RouteChange(clear: true)
        try session.say(isReset ? Sentences.routedAsManifest(result.service) : Sentences.routed(result.service))
        return 0
    }

    /// What the command line asks to change; nil where it asks to show.
    static func change(of arguments: Arguments) throws(UsageError) -> RouteChange? {
        var rules = RouteRules()
        let weights = try weights(Array(arguments.positionals.dropFirst()))
        if let caller = arguments.value("from") {
            guard !weights.isEmpty else { throw .missingArgument("TARGET", command: "route") }
            rules.callers = [.init(caller, weights)]
        } else {
            rules.weights = weights
        }
        for text in arguments.values["header"] ?? [] {
            guard let match = Routing.Match(header: text) else {
                throw .invalidValue(
                    text, of: "--header", expected: "a header, its value and a target, as 'x-user: me=next'")
            }
            rules.headers.append(.init(name: match.name, value: match.value, target: match.target))
        }
        for text in arguments.values["cookie"] ?? [] {
            guard let match = Routing.Match(cookie: text) else {
                throw .invalidValue(
                    text, of: "--cookie", expected: "a cookie, its value and a target, as 'user=me=next'")
            }
            rules.cookies.append(.init(name: match.name, value: match.value, target: match.target))
        }
        rules.mirror = arguments.value("mirror")
        rules.sticky = try sticky(arguments)
        rules.propagate = try names("propagate", arguments)
        if rules.mirror != nil, arguments.has("no-mirror") { throw .conflict("--mirror", "--no-mirror") }
        if rules.sticky != .none, arguments.has("no-sticky") { throw .conflict("--sticky", "--no-sticky") }
        let without = RouteChange.Part.allCases.filter { arguments.has("no-" + $0.rawValue) }
        let change = RouteChange(clear: arguments.has("clear"), without: Set(without), rules: rules)
        return change == RouteChange() ? nil : change
    }

    /// Reads `local=90 next=10`, or `next`.
    private static func weights(_ words: [String]) throws(UsageError) -> [RouteRules.Weight] {
        var weights: [RouteRules.Weight] = []
        for word in words {
            var weight = RouteRules.Weight(word, 1)
            if let last = word.lastIndex(of: "=") {
                guard let number = Int(word[word.index(after: last)...]), 0...1_000_000 ~= number,
                    last > word.startIndex
                else {
                    throw .invalidValue(
                        word, of: "TARGET=WEIGHT", expected: "a target and a whole number from 0, as next=10")
                }
                weight = RouteRules.Weight(String(word[..<last]), number)
            }
            if weights.contains(where: { $0.target == weight.target }) {
                throw .invalidValue(word, of: "TARGET=WEIGHT", expected: "said once for each target")
            }
            weights.append(weight)
        }
        guard weights.isEmpty || weights.contains(where: { $0.weight > 0 }) else {
            throw .invalidValue(
                words.joined(separator: " "), of: "TARGET=WEIGHT", expected: "above 0 for one of them, as next=10")
        }
        return weights
    }

    private static func sticky(_ arguments: Arguments) throws(UsageError) -> RouteRules.Sticky {
        let header = try names("sticky-header", arguments).last
        let cookie = try names("sticky-cookie", arguments).last
        switch (header, cookie) {
        case (.some, .some): throw .conflict("--sticky-header", "--sticky-cookie")
        case (let header?, nil): return .header(header)
        case (nil, let cookie?): return .cookie(cookie)
        case (nil, nil): return arguments.has("sticky") ? .client : .none
        }
    }

    private static func names(_ option: String, _ arguments: Arguments) throws(UsageError) -> [String] {
        let names = arguments.values[option] ?? []
        for name in names where !Routing.isName(name) {
            throw .invalidValue(name, of: "--" + option, expected: "a name, as x-user")
        }
        return names
    }
}
