/// `route`: which of a service's targets get its requests. Targets are named as `use` names them.
public struct Routing: Sendable, Equatable {
    /// Empty: everything goes to the target in use.
    public var weights: [Weight]
    /// The first that applies wins, before all others.
    public var headers: [Match]
    public var cookies: [Match]
    /// Callers that have weights of their own.
    public var callers: [Caller]
    public var sticky: Sticky
    /// The target that gets a copy of each request.
    public var mirror: String?
    /// Headers beside `baggage` in which what `headers` asks for may stand; a star at the end makes it a prefix.
    public var propagate: [String]

    public struct Weight: Sendable, Equatable {
        public var target: String
        public var weight: Int

        public init(_ target: String, _ weight: Int) {
            self.target = target
            self.weight = weight
        }
    }

    /// A header or cookie with a value.
    public struct Match: Sendable, Equatable {
        public var name: String
        public var value: String
        public var target: String

        public init(name: String, value: String, target: String) {
            self.name = name
            self.value = value
            self.target = target
        }
    }

    public struct Caller: Sendable, Equatable {
        public var service: String
        /// Never empty.
        public var weights: [Weight]

        public init(_ service: String, _ weights: [Weight]) {
            self.service = service
            self.weights = weights
        }
    }

    /// By what a client is known again that once got a target by weight.
    public enum Sticky: Sendable, Equatable {
        case none
        /// Authorization, else cookies, else the calling service.
        case client
        case header(String)
        case cookie(String)
    }

    public init(
        weights: [Weight] = [], headers: [Match] = [], cookies: [Match] = [], callers: [Caller] = [],
        sticky: Sticky = .none, mirror: String? = nil, propagate: [String] = []
    ) {
        self.weights = weights
        self.headers = headers
        self.cookies = cookies
        self.callers = callers
        self.sticky = sticky
        self.mirror = mirror
        self.propagate = propagate
    }
}

extension Routing {
    /// Whether a header or cookie may be called so (RFC 9110 §5.6.2).
    public static func isName(_ text: String) -> Bool { TextRule.headerName.matches(text) }
}

extension Routing.Match {
    /// Reads `x-user: me=next`: what stands behind the last `=` is the target.
    public init?(header text: String) {
        guard TextRule.headerMatch.matches(text), let parts = Self.split(text, at: ":") else { return nil }
        self = parts
    }

    /// Reads `user=me=next`.
    public init?(cookie text: String) {
        guard TextRule.cookieMatch.matches(text), let parts = Self.split(text, at: "=") else { return nil }
        self = parts
    }

    private static func split(_ text: String, at separator: Character) -> Self? {
        guard let first = text.firstIndex(of: separator), let last = text.lastIndex(of: "="), first < last else {
            return nil
        }
        return Self(
            name: trimmed(text[..<first]), value: trimmed(text[text.index(after: first)..<last]),
            target: trimmed(text[text.index(after: last)...]))
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension TextRule {
    /// What names of headers and cookies are made of (RFC 9110 §5.6.2).
    private static let token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    private static let rest = "[^\\u0000-\\u001f\\u007f]*= *[^\\u0000-\\u0020\\u007f=]+ *$"

    static let headerMatch = TextRule(
        pattern: "^\(token) *:" + rest,
        expected: "a header, its value and a target, such as \"x-user: me=next\""
    ) { isMatch($0, separator: UInt8(ascii: ":")) }

    static let cookieMatch = TextRule(
        pattern: "^\(token) *=" + rest, expected: "a cookie, its value and a target, such as \"user=me=next\""
    ) { isMatch($0, separator: UInt8(ascii: "=")) }

    static let cookieName = TextRule(
        pattern: headerName.pattern, expected: "a cookie's name: letters, digits and -", matches: headerName.matches)

    private static func isMatch(_ text: String, separator: UInt8) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.firstIndex(of: separator), let last = bytes.lastIndex(of: UInt8(ascii: "=")),
            first < last
        else { return false }
        let blanks = bytes[..<first].reversed().prefix { $0 == 0x20 }.count
        let name = String(Substring(bytes[..<first].dropLast(blanks)))
        let target = bytes[bytes.index(after: last)...].drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }
        return headerName.matches(name) && bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F } && !target.isEmpty
            && !target.contains(0x20)
    }
}
