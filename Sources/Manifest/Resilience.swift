/// `timeouts`. Nil: none.
public struct Timeouts: Sendable, Equatable {
    /// Until an instance or the remote has accepted the connection.
    public var connect: Duration?
    /// From the whole request until the response begins.
    public var response: Duration?
    /// For how long nothing may pass in either direction while a response, or a raw connection, is under way.
    public var idle: Duration?
    /// For how long a client may say nothing more of its request's body.
    public var body: Duration

    public init(
        connect: Duration? = .seconds(5), response: Duration? = nil, idle: Duration? = nil,
        body: Duration = .seconds(60)
    ) {
        self.connect = connect
        self.response = response
        self.idle = idle
        self.body = body
    }
}

/// `retries`. What is not idempotent is sent again only where it was not sent at all.
public struct Retries: Sendable, Equatable {
    /// How many more times a request is tried, at most.
    public var attempts: Int
    public var on: [Cause]
    /// Retries for a hundred requests; ten a second are free.
    public var budget: Int

    public enum Cause: Sendable, Equatable {
        /// The connection could not be made.
        case connect
        /// It broke before the response began.
        case reset
        case status(Int)
    }

    public init(attempts: Int = 1, on: [Cause] = [.connect], budget: Int = 20) {
        self.attempts = attempts
        self.on = on
        self.budget = budget
    }
}

/// `limits`.
public struct Limits: Sendable, Equatable {
    /// Connections of clients at once; nil: as many as the system has.
    public var connections: Int?
    /// Requests that may wait for the service at once.
    public var waiting: Int
    /// Bytes that all processes of an instance together may use; nil: no limit.
    public var memory: Int?
    /// How many processors an instance may run on; nil: all.
    public var cpu: Int?
    /// The keys of those two.
    static let ofProcesses = ["memory", "cpu"]
    /// Nil: no circuit breaker.
    public var breaker: Breaker?
    /// Nil: instances that fail are not left out.
    public var ejection: Ejection?

    public struct Breaker: Sendable, Equatable {
        /// In a row.
        public var failures: Int
        public var open: Duration

        public init(failures: Int = 5, open: Duration = .seconds(10)) {
            self.failures = failures
            self.open = open
        }
    }

    public struct Ejection: Sendable, Equatable {
        /// In a row.
        public var failures: Int
        /// The first time; each further time in a row is longer.
        public var time: Duration

        public init(failures: Int = 5, time: Duration = .seconds(30)) {
            self.failures = failures
            self.time = time
        }
    }

    public init(
        connections: Int? = nil, waiting: Int = 1024, breaker: Breaker? = nil, ejection: Ejection? = Ejection()
    ) {
        self.connections = connections
        self.waiting = waiting
        self.breaker = breaker
        self.ejection = ejection
    }
}
