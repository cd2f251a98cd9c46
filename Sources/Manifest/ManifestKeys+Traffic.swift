import JSON

/// The keys that say what becomes of requests on their way.
extension ManifestKeys {
    static let route = Key(
        "route",
        .object([
            Key(
                "weights", weights, "How much of the requests each target gets. Default: all go to the target in use.",
                examples: [["local": 90, "next": 10]]),
            Key(
                "headers", .list(.text(.headerMatch), minimum: 0),
                "Where requests with a header of that value go, instead; the first that applies wins. Members of "
                    + "`baggage` count as headers.", standard: [], examples: [["x-user: me=next"]]),
            Key(
                "cookies", .list(.text(.cookieMatch), minimum: 0),
                "The same by cookie, after the headers.", standard: [], examples: [["user=me=next"]]),
            Key(
                "from", .map(names: .serviceName, .either([.text(.filled), weights])),
                "Where the requests of one caller go: a target, or weights. It must have this service in its uses.",
                standard: [:], examples: [["reader": "next"], ["reader": ["local": 1, "next": 1]]]),
            Key("mirror", .text(.filled), "The target that gets a copy of each request; its responses are discarded."),
            Key(
                "sticky",
                .either([
                    .boolean,
                    .object([
                        Key("header", .text(.headerName), "The header that tells the client.", examples: ["x-user"]),
                        Key("cookie", .text(.cookieName), "The cookie that tells the client.", examples: ["session"]),
                    ]),
                ]),
                "Whether a client that once got a target by weight gets it again: known by Authorization, else its "
                    + "cookies, else the calling service, or by what is named here.",
                standard: false, examples: [true, ["cookie": "session"]]),
            Key(
                "propagate", .list(.text(.headerName), minimum: 0),
                "Headers beside `baggage` in which what `headers` asks for may stand; with a star at its end, the "
                    + "beginning of their names.", standard: [], examples: [["uberctx-*"]]),
        ]), "Which targets its requests go to.", standard: [:], examples: [["weights": ["local": 90, "next": 10]]])

    private static let weights = Shape.map(names: .filled, .whole(0...1_000_000))

    static let timeouts = Key(
        "timeouts",
        .object([
            Key("connect", aboveZero, "How long until a connection is accepted.", standard: "5s"),
            Key("response", aboveZero, "How long from the whole request until the response begins. Default: for ever."),
            Key(
                "idle", aboveZero,
                "How long nothing may pass while a response or a raw connection is under way. Default: for ever."),
            Key(
                "body", aboveZero,
                "How long a client may say nothing more of its request's body; then it is answered 408.",
                standard: "60s"),
        ]), "How long requests may take.", standard: [:], examples: [["connect": "1s", "response": "30s"]])

    static let retries = Key(
        "retries",
        .object([
            Key("attempts", .whole(0...10), "How many more times a request is tried, at most.", standard: 1),
            Key(
                "on", .list(.either([.choice(["connect", "reset"]), .whole(400...599)]), minimum: 0),
                "After what: connect (no connection), reset (it broke before the response), a status. What is not "
                    + "idempotent is sent again only after connect.",
                standard: ["connect"], examples: [["connect", 502, 503]]),
            Key(
                "budget", .whole(0...100), "How many retries for a hundred requests, beside ten a second.",
                standard: 20),
        ]), "Which requests are tried again.", standard: [:], examples: [["attempts": 2, "on": ["connect", 503]]])

    static let limits = Key(
        "limits",
        .object([
            Key(
                "connections", .whole(1...1_000_000),
                "How many connections clients may have at once. Default: as many as the system has."),
            Key("waiting", .whole(0...1_000_000), "How many requests may wait for it at once.", standard: 1024),
            Key(
                "memory", .size(minimum: 1 << 20),
                "How much memory an instance may use, all its processes together; it is ended when it uses more.",
                examples: ["512MB"]),
            Key("cpu", .whole(1...1024), "How many processors an instance may run on. Default: all.", examples: [2]),
            Key(
                "breaker",
                .either([
                    .object([
                        Key("failures", .whole(1...1000), "After how many failures in a row.", standard: 5),
                        Key("open", aboveZero, "For how long, until one request tries.", standard: "10s"),
                    ]), .only(false),
                ]), "When requests are answered at once instead of being passed on.", standard: false,
                examples: [["failures": 5, "open": "10s"]]),
            Key(
                "ejection",
                .either([
                    .object([
                        Key("failures", .whole(1...1000), "After how many failures in a row.", standard: 5),
                        Key("time", aboveZero, "For how long, the first time.", standard: "30s"),
                    ]), .only(false),
                ]), "When one of several instances is left out; never more than half of them are.", standard: [:],
                examples: [["failures": 3, "time": "10s"], false]),
        ]), "How much it takes, and when it is spared.", standard: [:],
        examples: [["connections": 1000, "breaker": ["failures": 5, "open": "10s"]]])

    private static let aboveZero = Shape.duration(minimum: .milliseconds(1))
}
