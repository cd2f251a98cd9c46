import JSON

/// An operation that was refused: the answer's status and the body `{"error": {"message", "code"}}`.
public struct ControlFailure: Error, WireType {
    /// The HTTP status; not part of the body.
    public var status: Int
    /// A word for programs: `unknown-service`, `bad-request`, …
    public var code: String
    /// What, why and what to do next, for people.
    public var message: String

    public init(status: Int, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    public init(json: JSON) throws(WireProblem) {
        guard let error = json["error"] else { throw WireProblem("\"error\" is missing") }
        let reader = try WireReader(error)
        status = 0
        code = try reader.string("code")
        message = try reader.string("message")
    }

    public var json: JSON { ["error": ["message": .string(message), "code": .string(code)]] }

    public static func badRequest(_ message: String) -> ControlFailure {
        ControlFailure(status: 400, code: "bad-request", message: message)
    }

    /// 404 with what may have been meant.
    public static func unknownService(_ name: String, known: [String]) -> ControlFailure {
        let hint =
            if let near = nearest(to: name, in: known) {
                "Did you mean \(near)?"
            } else if known.isEmpty {
                "The manifest declares no services."
            } else {
                "There are: \(known.joined(separator: ", "))."
            }
        return ControlFailure(status: 404, code: "unknown-service", message: "There is no service \(name). \(hint)")
    }

    /// The name that takes the fewest edits, if they are few for its length; case does not count.
    static func nearest(to name: String, in known: [String]) -> String? {
        let best = known.map { ($0, editDistance(Array(name.lowercased().utf8), Array($0.lowercased().utf8))) }
            .min { $0.1 < $1.1 }
        guard let best, best.1 <= max(1, min(name.utf8.count, best.0.utf8.count) / 3 + 1) else { return nil }
        return best.0
    }

    /// Levenshtein's distance.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var previous = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var current = [i + 1]
            for (j, y) in b.enumerated() {
                current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1)))
            }
            previous = current
        }
        return previous[b.count]
    }
}
