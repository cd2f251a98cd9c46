/// `route`.
extension Sentence {
    static func noSuchTarget(_ name: String, of service: String, among names: [String], nearest: String?) -> Sentence {
        Sentence(
            expected: "a target of \(quoted(service)): \(alternatives(names.map(quoted)))", found: quoted(name),
            mend: didYouMean(nearest, else: "Write one of these, or add it to \"versions\""))
    }

    static func weightlessRoute(isEmpty: Bool) -> Sentence {
        Sentence(
            expected: "a target with a weight above 0", found: isEmpty ? "an empty object" : "only weights of 0",
            mend: isEmpty ? "Add one, such as \"local\": 1, or remove the key" : "Give one of them more")
    }

    static func sameMatch(_ text: String) -> Sentence {
        Sentence(
            expected: "each header or cookie with a value once", found: "\(quoted(text)), which comes before",
            mend: "Remove one of the two: the first wins")
    }

    static func callerWithoutEdge(_ caller: String, _ service: String) -> Sentence {
        Sentence(
            expected: "a caller with an address of its own for \(quoted(service))",
            found: "\(quoted(caller)), which does not name it in \"uses\"",
            mend: "Add it there: otherwise its calls can't be told from others")
    }

    static func needsHTTP(_ key: String) -> Sentence {
        Sentence(
            expected: "no \(quoted(key)) beside \"protocol\": \"tcp\"", found: "both",
            mend: "Remove one of the two: that is done request by request, which needs HTTP")
    }

    static let stickyByNothing = Sentence(
        expected: "\"header\" or \"cookie\"", found: "neither", mend: "Add one, or write true")

    static let stickyByBoth = Sentence(
        expected: "\"header\" or \"cookie\"", found: "both", mend: "Keep one of them")
}
