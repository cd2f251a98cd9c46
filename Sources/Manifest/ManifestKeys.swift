import JSON

/// The table of keys: contract §2.
enum ManifestKeys {
    static let top = Shape.object([
        Key("$schema", .text(.any), "Where an editor finds the schema of this file."),
        Key(
            "name", .text(.projectName), "What the project is called. Default: the name of the folder.",
            examples: ["newsroom"]),
        Key(
            "ports",
            .object([
                Key(
                    "first", .whole(1024...65336), "The first of the 200 ports of this project: the gateway's.",
                    examples: [20000])
            ]), "Where this project's block of ports begins. Default: the next free block from 20000.",
            examples: [["first": 20000]]),
        environment("Variables for every service."),
        environmentFile("A file of variables for every service."),
        logs,
        Key(
            "services", .map(names: .serviceName, service),
            "The services, by name. Their order is the order of their ports.", isRequired: true),
        .later("clusters", "Remote environments, by name.", standard: [:]),
        .later("callback", "How remote systems call services back.", standard: false),
        origins(
            "Web pages of these origins may call every service by the gateway, also where its remote adds "
                + "credentials."),
        timeouts, retries, limits,
        .later("traffic", "How exchanges between services are captured.", standard: [:]),
    ])

    static let service = Shape.object(place + process + lifeCycle + network + later)

    /// A version's entry: what it leaves out is as the service's own entry has it.
    private static let version = Shape.object(
        [
            Key(
                "git", .text(.gitRef),
                "The git ref that is checked out, built and run, in a folder of devmesh's own.", examples: ["main"])
        ] + (place + lifeCycle + [listens]).map(\.withoutStandard))

    private static let place = [
        Key(
            "directory", .text(.filled),
            "The folder that it is built and run in, relative to the manifest. ${NAME} is expanded.", standard: ".",
            examples: ["reader"]),
        Key("build", command, "The command that builds it: \(commandForms).", examples: ["make", ["make", "-j4"]]),
        Key(
            "run", command, "The command that runs it: \(commandForms).",
            examples: ["./reader --port $PORT", ["./reader", "--port", "${PORT}"]]),
        container,
        environment("Variables for this service. ${NAME} and ${NAME:-default} are expanded, $$ is a dollar."),
        environmentFile("A file of variables for this service, relative to the manifest."),
        logs,
    ]

    private static let process = [
        Key(
            "dependsOn", .map(names: .serviceName, .choice(Dependency.Condition.allCases.map(\.rawValue))),
            "What must be started, ready or completed before this service is started.", standard: [:],
            examples: [["db": "ready"]]),
        Key("oneShot", .boolean, "Whether it is a job that runs once to its end.", standard: false),
    ]

    private static let lifeCycle = [
        Key("ready", ready, "How to tell that it is ready. Default: it listens on its port.", examples: [readyExample]),
        Key(
            "live", live, "How to tell that it still works. Default: not probed once it is ready.",
            examples: [["http": "/healthz", "interval": "5s", "failures": 3]]),
        Key(
            "restart", .choice(RestartPolicy.allCases.map(\.rawValue)),
            "What to do when it ends by itself: start it again or not.", standard: "on-failure"),
        Key("stop", stop, "How it is stopped.", examples: [["signal": "INT", "timeout": "3s"]]),
        Key("instances", .whole(1...1000), "How many processes of it run.", standard: 1),
        Key(
            "handover", .choice(Handover.allCases.map(\.rawValue)),
            "In a restart: stop the old process first and hold requests meanwhile, or start the new one first.",
            standard: "hold"),
        Key(
            "watch", .either([.boolean, watch]),
            "Rebuild and restart it when files change: true for all in its folder, or which.", standard: false,
            examples: [true, ["paths": ["src"], "ignore": ["*.tmp"]]]),
        Key(
            "tty", .boolean, "Whether it runs on a terminal of its own, which `devmesh attach` connects to.",
            standard: false),
    ]

    private static let watch = Shape.object([
        Key(
            "paths", .list(.text(.filled), minimum: 1),
            "Folders, files, or patterns such as src/**/*.c, relative to its folder.", standard: ["."],
            examples: [["src"]]),
        Key(
            "ignore", .list(.text(.filled), minimum: 0),
            "What to leave out besides, as in a .gitignore; with ! before it: what not to leave out.", standard: [],
            examples: [["*.tmp", "!build/"]]),
        Key(
            "debounce", .duration(minimum: .zero), "How long nothing more must change before it is built.",
            standard: "200ms"),
    ])

    private static let network = [
        Key(
            "uses", .list(.text(.filled), minimum: 0),
            "Whom it calls: each gets an address reserved for this caller. Default: all services, none reserved.",
            examples: [["members", "purge"], ["members@next"]]),
        listens,
        Key("port", .whole(1...65535), "The port of its front. Default: the next of the block.", examples: [20007]),
        Key("protocol", .choice(ProtocolHint.allCases.map(\.rawValue)), "What is spoken with it.", standard: "auto"),
        Key(
            "remote",
            .either([
                .text(.filled),
                .object([
                    Key("url", .text(.filled), "Its URL.", examples: ["https://members.staging.example.com"]),
                    Key("host", .text(.filled), "What to say in Host. Default: the URL's own."),
                    Key(
                        "headers", .map(names: .headerName, .text(.any)),
                        "Headers that each request carries, in place of the client's. ${NAME} is expanded.",
                        standard: [:], examples: [["authorization": "Bearer ${MEMBERS_TOKEN}"]]),
                    Key(
                        "tls", tls, "How TLS is spoken with it.", standard: [:],
                        examples: [["ca": "staging-ca.pem", "cert": "me.pem", "key": "me.key"]]),
                    .later("cluster", "The remote environment it is in."),
                    .later("service", "Its name there."),
                    .later("port", "Its port there."),
                    .later("consul", "Its place in Consul."),
                    .later("etcd", "Its place in etcd."),
                    .later("kubernetes", "Its place in Kubernetes."),
                    .later("dns", "The name of its SRV record."),
                    .later("ssh", "The host to reach it through."),
                    .later("address", "Its address as that host sees it."),
                    .later("command", "A tunnel program that listens on $PORT."),
                ]),
            ]), "Where it runs elsewhere: an http, https or tcp URL, or an object with one. ${NAME} is expanded.",
            examples: ["https://members.staging.example.com", "tcp://db.staging.example.com:5432"]),
        Key(
            "target", .text(.filled),
            "Where it is served from at first: local, remote or a version. Default: the first of these that it has."),
        Key(
            "versions", .map(names: .versionName, version),
            "Other versions of it, by name: each says what is different from the service's own entry.", standard: [:],
            examples: [["next": ["directory": "../members-next"], "main": ["git": "main"]]]),
        hosts, paths,
        route, timeouts, retries, limits,
        origins("Web pages of these origins may call it by the gateway, also where its remote adds credentials."),
    ]

    private static let listens = Key(
        "listens", .either([.whole(1...65535), .only(false)]),
        "The port that a program insists on, or false for one that listens nowhere. Default: the port in PORT.",
        examples: [8080, false])

    private static let tls = Shape.object([
        Key("ca", .text(.filled), "A PEM file of the only authorities that it may have its certificate from."),
        Key("cert", .text(.filled), "A PEM file with the certificate that is shown to it."),
        Key("key", .text(.filled), "A PEM file with the key of cert. Default: it is in the file of cert."),
        Key("serverName", .text(.filled), "The name that its certificate must be for. Default: the URL's host."),
        Key("insecure", .boolean, "Whether any certificate is taken, a liar's too.", standard: false),
    ])

    private static func origins(_ description: String) -> Key {
        Key(
            "origins", .list(.text(.origin), minimum: 0), description, standard: [],
            examples: [["https://app.example.com"]])
    }

    private static let later: [Key] = [
        .later("callback", "Whether remote systems call it back.", standard: false),
        .later("traffic", "How its exchanges are captured.", standard: [:]),
    ]

    private static let ready = Shape.object(
        probes(tcp: "Ready when it listens on its port: the default.") + [
            Key("log", .text(.filled), "Ready when a line of its output matches this regular expression."),
            Key(
                "interval", .duration(minimum: .milliseconds(1)), "How long between two probes, at most.",
                standard: "200ms"),
            Key(
                "timeout", .duration(minimum: .milliseconds(1)),
                "After how long it counts as unready; it is probed on.", standard: "30s"),
        ])

    private static let readyExample: JSON = ["http": "/healthz", "interval": "200ms", "timeout": "30s"]

    private static let live = Shape.object(
        probes(tcp: "Alive while it accepts connections.") + [
            Key("interval", .duration(minimum: .milliseconds(1)), "How long between two probes.", standard: "5s"),
            Key("failures", .whole(1...1000), "How many failed probes in a row make it unready.", standard: 3),
        ])

    private static func probes(tcp: String) -> [Key] {
        [
            Key("http", .text(.path), "A path that answers 2xx or 3xx.", examples: ["/healthz"]),
            Key("tcp", .only(true), tcp),
            Key("command", command, "A command that exits 0: \(commandForms).", examples: ["pg_isready -p $PORT"]),
        ]
    }

    private static let stop = Shape.object([
        Key(
            "signal", .choice(StopPolicy.signalNames.flatMap { [$0, "SIG" + $0] }),
            "The signal that asks it to stop.", standard: "TERM"),
        Key(
            "to", .choice(StopPolicy.Recipient.allCases.map(\.rawValue)),
            "Who gets the signal: its whole process group, or the process that was started.", standard: "group"),
        Key(
            "drain", .duration(minimum: .zero), "How long requests in flight may go on before the signal.",
            standard: "5s"),
        Key("timeout", .duration(minimum: .zero), "How long after the signal until it is killed.", standard: "10s"),
    ])

    private static let command = Shape.either([.text(.filled), .list(.text(.any), minimum: 1)])

    private static let commandForms =
        "a text for the shell, or a list of arguments without one, in which ${NAME} is expanded"

    private static func environment(_ description: String) -> Key {
        Key(
            "env", .map(names: .variableName, .text(.any)), description, standard: [:],
            examples: [["LOG_LEVEL": "debug"]])
    }

    private static func environmentFile(_ description: String) -> Key {
        Key("envFile", .text(.filled), description, examples: [".env"])
    }

    private static let logs = Key(
        "logs",
        .object([
            Key(
                "size", .size(minimum: 1 << 20), "How much output of a service is kept; the oldest goes first.",
                standard: "256MB")
        ]), "How much output is kept.", examples: [["size": "64MB"]])
}
