import JSON

// Everything that a user reads about a wrong manifest, in one place; Sentences+Texts.swift goes on with what can be
// wrong within a text and in envFiles. Tests hold each word for word: see Fixtures/manifests/invalid.

/// How values are named in sentences.
extension Sentence {
    /// `a, b or c`.
    public static func alternatives(_ names: [String], _ conjunction: String = "or") -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " \(conjunction) " + last
    }

    /// A text in quotes, on one line, without passwords, and cut where it is long.
    public static func quoted(_ text: String) -> String {
        var result = ""
        for (index, scalar) in Secrets.maskingPasswords(in: text).unicodeScalars.enumerated() {
            if index == 60 { return "\"\(result)…\"" }
            result +=
                scalar.value < 0x20 || scalar.value == 0x7F ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return "\"\(result)\""
    }

    /// What stands there.
    static func found(_ node: JSONSyntax, isSecret: Bool = false) -> String {
        switch node.kind {
        case .invalid: "nothing"
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): isSecret ? "a number" : String(value)
        case .double(let value): isSecret ? "a number" : value.description
        case .string(let value): value.isEmpty ? "an empty text" : isSecret ? "a text" : quoted(value)
        case .array(let elements): elements.isEmpty ? "an empty list" : "a list"
        case .object(let members): members.isEmpty ? "an empty object" : "an object"
        }
    }

    static func didYouMean(_ nearest: String?, else mend: String) -> String {
        nearest.map { "Did you mean \(quoted($0))?" } ?? mend
    }

    static func place(_ position: Position) -> String {
        "line \(position.line), column \(position.column)"
    }
}

/// Syntax, keys and kinds of values.
extension Sentence {
    static func syntax(_ problem: JSONProblem, isSecret: Bool) -> Sentence {
        switch problem {
        case .unknownWord, .malformedNumber, .numberOutOfRange:
            if isSecret {
                return Sentence(expected: problem.expected, found: "another word", mend: "Put \"\" around it")
            }
        default: break
        }
        return Sentence(expected: problem.expected, found: problem.found, mend: problem.mend)
    }

    static func unknownKey(_ name: String, nearest: String?) -> Sentence {
        Sentence(
            expected: "a known key", found: quoted(name),
            mend: didYouMean(nearest, else: "Remove it, or begin its name with x-"))
    }

    static func repeated(_ name: String, first: Position) -> Sentence {
        Sentence(
            expected: "each name once", found: "\(quoted(name)) again, after \(place(first))",
            mend: "Remove one of the two")
    }

    static func missing(_ key: Key) -> Sentence {
        let name = quoted(key.name)
        let example = key.examples.first ?? [:]
        return Sentence(expected: "the key \(name)", found: "none", mend: "Add \(name): \(example.serialized())")
    }

    static func notYet(_ key: Key, found: String) -> Sentence {
        Sentence(
            expected: key.standard.map { "no \(quoted(key.name)) or the default \($0.serialized())" }
                ?? "no \(quoted(key.name))",
            found: found, mend: "\(quoted(key.name)) is not yet done by devmesh: remove the key")
    }

    static func wrongKind(_ shape: Shape, found node: JSONSyntax, isSecret: Bool) -> Sentence {
        Sentence(
            expected: shape.expected, found: found(node, isSecret: isSecret),
            mend: mendKind(shape, found: node, isSecret: isSecret))
    }

    private static func mendKind(_ shape: Shape, found node: JSONSyntax, isSecret: Bool) -> String {
        switch (shape, node.kind) {
        case (.text, .int), (.text, .double), (.text, .bool):
            return isSecret ? "Put \"\" around it" : "Write \"\(found(node))\""
        case (.duration, .int(let number)):
            return "Write \"\(number)s\" for seconds or \"\(number)ms\" for milliseconds"
        case (.boolean, .string(let text)) where text == "true" || text == "false":
            return "Write \(text) without quotes"
        case (.whole, .string(let text)) where Int(text) != nil: return "Write \(text) without quotes"
        case (.either(let shapes), .string):
            return mendKind(shapes[0], found: node, isSecret: isSecret)
        case (.list, .string(let text)): return "Write [\(quoted(text))]"
        case (.map(_, .choice(let names)), .array(let elements)):
            let example = elements.lazy.compactMap(\.string).first ?? "db"
            return "Write {\(quoted(example)): \"\(names[min(1, names.count - 1)])\"}"
        case (.map(_, .text), .array): return "Write {\"NAME\": \"value\"}"
        case (.object(let keys), _) where keys.contains { $0.name == "http" }: return "Write {\"http\": \"/healthz\"}"
        case (_, .null): return "Remove it, or give it a value"
        case (.text, _), (.choice, _): return "Write a text in quotes"
        case (.map, _), (.object, _): return "Write {…}"
        case (.list, _): return "Write […]"
        default: return "Write \(shape.expected)"
        }
    }

    static func wrongText(_ rule: TextRule, found text: String, isSecret: Bool) -> Sentence {
        let isNUL = text.utf8.contains(0)
        return Sentence(
            expected: isNUL
                ? "a text without NUL" : text.isEmpty ? "\(rule.expected) that is not empty" : rule.expected,
            found: text.isEmpty ? "an empty text" : isSecret ? "another" : quoted(text),
            mend: isNUL ? "Remove \\u0000: no argument or variable can hold it" : "Mend it, or remove the key")
    }

    static func wrongChoice(_ names: [String], found text: String, nearest: String?) -> Sentence {
        Sentence(
            expected: alternatives(names.prefix(6).map(quoted)) + (names.count > 6 ? ", …" : ""),
            found: text.isEmpty ? "an empty text" : quoted(text),
            mend: didYouMean(nearest, else: "Write one of these"))
    }

    static func wrongNumber(_ range: ClosedRange<Int>, found: String) -> Sentence {
        Sentence(
            expected: Shape.whole(range).expected, found: found, mend: "Choose a number in that range")
    }

    static func wrongDuration(found text: String, minimum: Duration) -> Sentence {
        let isZero = Quantities.duration(text) == .zero
        return Sentence(
            expected: isZero ? "a duration above zero" : Shape.duration(minimum: minimum).expected,
            found: text.isEmpty ? "an empty text" : quoted(text),
            mend: isZero ? "Write at least \"1ms\"" : "Write a whole number and ms, s, m or h")
    }

    static func wrongSize(_ minimum: Int, found: String) -> Sentence {
        Sentence(
            expected: Shape.size(minimum: minimum).expected, found: found,
            mend: "Write a whole number and MB or GB, or a number of bytes from \(minimum)")
    }

    /// - Parameter expected: what else would do.
    static func notOnly(_ value: JSON, expected: String, found: String) -> Sentence {
        Sentence(expected: expected, found: found, mend: "Write \(value.serialized()), or remove the key")
    }

    static func tooShort(_ minimum: Int) -> Sentence {
        Sentence(
            expected: "a list of at least \(minimum)", found: "an empty list", mend: "Fill it, or remove the key")
    }
}

/// Names.
extension Sentence {
    static func wrongName(_ rule: TextRule, found text: String) -> Sentence {
        let letters = text.unicodeScalars.map { scalar -> Character in
            rule.matches("a\(scalar)") ? Character(scalar) : rule.matches("a-a") ? "-" : "_"
        }
        let candidates = [String(letters), "_" + String(letters), "s" + String(letters)]
        let better = candidates.first { $0 != text && rule.matches($0) }
        return Sentence(
            expected: rule.expected, found: text.isEmpty ? "an empty name" : quoted(text),
            mend: better.map { "Rename it, for example \(quoted($0))" } ?? "Rename it")
    }

    static func reservedName(_ name: String) -> Sentence {
        Sentence(
            expected: "a name that devmesh does not use itself", found: quoted(name),
            mend: "Rename it, for example \"\(name)-service\"")
    }

    static func instanceLikeName(_ name: String) -> Sentence {
        let better = String(name.map { $0 == "." ? "-" : $0 })
        return Sentence(
            expected: "a name that does not end in a dot and digits, as instances do", found: quoted(name),
            mend: "Rename it, for example \(quoted(better))")
    }

    static func sameName(_ name: String, as other: String, at position: Position) -> Sentence {
        Sentence(
            expected: "names that differ by more than case",
            found: "\(quoted(name)) beside \(quoted(other)) of \(place(position))", mend: "Rename one of the two")
    }

    static func fallsTogether(_ name: String, with other: String, as common: String, at position: Position) -> Sentence
    {
        Sentence(
            expected: "names that stay apart in host names and variables",
            found: "\(quoted(name)), which becomes \(common) there, as does \(quoted(other)) of \(place(position))",
            mend: "Rename one of the two")
    }

    static let portInFile = Sentence(
        expected: injectedVariable("PORT").expected, found: "\"PORT\", which counts for nothing here",
        mend: "Leave it to others that read this file; \"listens\" is for a program that insists on its port")

    static func injectedVariable(_ name: String) -> Sentence {
        Sentence(
            expected: "a variable that devmesh does not set itself", found: quoted(name),
            mend: name == "PORT"
                ? "Remove it; \"listens\" is for a program that insists on its port"
                : "Remove it, or rename it: names that begin with SERVICE_ are devmesh's")
    }

    static func unknownService(_ name: String, nearest: String?, isHidden: Bool = false) -> Sentence {
        Sentence(
            expected: "a service of this manifest", found: quoted(name),
            mend: isHidden
                ? "What begins with x- is ignored: rename the service"
                : didYouMean(nearest, else: "Add it to \"services\", or remove it here"))
    }
}

/// How services depend on and use each other.
extension Sentence {
    static func unknownVersion(_ name: String, of service: String, among names: [String], nearest: String?) -> Sentence
    {
        Sentence(
            expected: names.isEmpty
                ? "a service without a version" : "\(alternatives(names.map(quoted))) after \(service)@",
            found: quoted(name),
            mend: didYouMean(
                nearest, else: "Add it to \"versions\" of \(quoted(service)), or remove what begins with @"))
    }

    static func usesTwice(_ name: String) -> Sentence {
        Sentence(expected: "each service once", found: "\(quoted(name)) again", mend: "Remove one of the two")
    }

    static func usesWorker(_ name: String) -> Sentence {
        Sentence(
            expected: "a service that listens", found: "\(quoted(name)), which has \"listens\": false",
            mend: "It gets no address; remove it here, or let it listen")
    }

    static let dependsOnItself = Sentence(
        expected: "another service", found: "the service itself", mend: "Remove it here")

    static func cycle(_ names: [String]) -> Sentence {
        Sentence(
            expected: "an order to start in", found: "the cycle \(names.joined(separator: " → "))",
            mend: "Remove one of these from \"dependsOn\"")
    }

    static func neverCompletes(_ name: String, because: String) -> Sentence {
        Sentence(
            expected: "a service that ends", found: "\(quoted(name)), which \(because)",
            mend: "Write \"ready\" or \"started\", or let it run once with \"oneShot\": true")
    }

    static func jobNeverReady(_ name: String) -> Sentence {
        Sentence(
            expected: "\"completed\" or \"started\"", found: "\"ready\" of \(quoted(name)), which runs once to its end",
            mend: "Write \"completed\", or give it a \"ready\" probe")
    }
}

/// Keys that do not go together.
extension Sentence {
    static let nothingToRun = Sentence(
        expected: "\"run\", \"container\" or \"remote\"", found: "none of them",
        mend: "Add \"run\" with the command that starts it, or \"remote\" with its URL")

    static let containerAndRun = Sentence(
        expected: "either \"run\" or \"container\"", found: "both",
        mend: "Remove one of the two; what a container runs is its \"command\"")

    static let buildWithoutRun = Sentence(
        expected: "\"run\" beside \"build\"", found: "none", mend: "Add \"run\", or remove \"build\"")

    static let watchWithoutRun = Sentence(
        expected: "\"run\" beside \"watch\"", found: "none: there is nothing to restart",
        mend: "Add \"run\", or remove \"watch\"")

    static let limitsWithoutRun = Sentence(
        expected: "\"run\" beside limits of memory or cpu", found: "none: nothing of it runs here",
        mend: "Add \"run\", or remove these limits")

    static func unknownTarget(_ text: String, among names: [String], nearest: String?) -> Sentence {
        Sentence(
            expected: alternatives(names.map(quoted)), found: quoted(text),
            mend: didYouMean(nearest, else: "Write one of these, or add it to \"versions\""))
    }

    static func reservedVersion(_ name: String) -> Sentence {
        Sentence(
            expected: "a name that no target has already", found: quoted(name),
            mend: "Rename it: \"local\" is the service's own \"run\", \"remote\" its \"remote\"")
    }

    static let versionWithoutRun = Sentence(
        expected: "\"run\" in the version or in the service's entry", found: "neither",
        mend: "Add \"run\" with the command that starts it")

    static func versionWithoutListens(_ port: Int) -> Sentence {
        Sentence(
            expected: "\"listens\" with a port of its own", found: "none: the service's is \(port)",
            mend: "Both may run at once: add \"listens\" to the version")
    }

    static let versionListensOtherwise = Sentence(
        expected: "a version that listens where its service does", found: "\"listens\": false in only one of the two",
        mend: "Remove \"listens\" from the version, or give both the same")

    static func targetWithout(_ key: String) -> Sentence {
        Sentence(
            expected: "a target that the service has", found: "no \(quoted(key))",
            mend: "Add \(quoted(key)), or remove \"target\"")
    }

    static func several(_ names: [String]) -> Sentence {
        Sentence(
            expected: "one kind of probe", found: alternatives(names.map(quoted), "and"),
            mend: "Keep one of them")
    }

    static let liveWithoutKind = Sentence(
        expected: "\"http\", \"tcp\" or \"command\"", found: "none", mend: "Add one, such as \"http\": \"/healthz\"")

    static func probeWithoutListener(_ kind: String) -> Sentence {
        Sentence(
            expected: "a probe that needs no listener", found: "\(quoted(kind)) beside \"listens\": false",
            mend: "Use \"command\", or remove the probe")
    }

    static func malformedExpression(_ text: String) -> Sentence {
        Sentence(
            expected: "a regular expression", found: quoted(text),
            mend: "Close its groups and brackets, and write \\\\ before a character that stands for itself")
    }

    static func fixedPort(_ found: String, _ mend: String) -> Sentence {
        Sentence(expected: "one process that has the port of \"listens\" to itself", found: found, mend: mend)
    }

    static func sharedListener(_ port: Int, with other: String, at position: Position) -> Sentence {
        Sentence(
            expected: "a port of its own", found: "\(port), which \(quoted(other)) (\(place(position))) listens on too",
            mend: "Change one of the two")
    }

    static func sharedFront(_ port: Int, with other: String, at position: Position) -> Sentence {
        Sentence(
            expected: "a port of its own", found: "\(port), which \(quoted(other)) (\(place(position))) has too",
            mend: "Change one of the two")
    }

    static func gatewayPort(_ port: Int) -> Sentence {
        Sentence(
            expected: "a port of its own", found: "\(port), which is \"ports.first\", the gateway's",
            mend: "Choose another")
    }

    static func privateBlock(_ first: Int) -> Sentence {
        Sentence(
            expected: "a block apart from the ports of instances, 10000 to 19999", found: "\(first) to \(first + 199)",
            mend: "Choose 20000 or above")
    }

    static func workerWith(_ key: String) -> Sentence {
        Sentence(
            expected: "a service that listens", found: "\(quoted(key)) beside \"listens\": false",
            mend: "Remove one of the two")
    }

    static func jobWith(_ found: String) -> Sentence {
        Sentence(
            expected: "what a job that runs once can have", found: "\(found) beside \"oneShot\": true",
            mend: "Remove one of the two")
    }

    static func emptyProgram(_ key: String) -> Sentence {
        Sentence(expected: "a program as the first argument", found: "an empty text", mend: "Name the program")
    }
}
