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
}
