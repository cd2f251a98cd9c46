import Platform

/// How a service's callers are spared its troubles, and it theirs.
public struct Resilience: Sendable, Equatable {
    public struct Timeouts: Sendable, Equatable {
        /// Until a server has accepted the connection.
        public var connect: Duration?
        /// From the whole request until its response begins.
        public var response: Duration?
        /// For how long nothing may pass in either direction while something is under way.
        public var idle: Duration?
        /// For how long a client may say nothing more of its request's body while its server waits for that.
        public var body: Duration?

        public init(
            connect: Duration? = .seconds(5), response: Duration? = nil, idle: Duration? = nil,
            body: Duration? = .seconds(60)
        ) {
            self.connect = connect
            self.response = response
            self.idle = idle
            self.body = body
        }
    }

    /// When a request is tried once more; what is not idempotent, only where it was not sent at all.
    public struct Retries: Sendable, Equatable {
        /// How many more times, at most.
        public var attempts: Int
        /// Where the connection could not be made.
        public var onConnect: Bool
        /// Where it broke before the response began.
        public var onReset: Bool
        /// Where the response has one of these.
        public var statuses: [Int]
        public var budget: RetryBudget.Policy

        public init(
            attempts: Int = 1, onConnect: Bool = true, onReset: Bool = false, statuses: [Int] = [],
            budget: RetryBudget.Policy = .init()
        ) {
            self.attempts = attempts
            self.onConnect = onConnect
            self.onReset = onReset
            self.statuses = statuses
            self.budget = budget
        }
    }

    public var timeouts: Timeouts
    public var retries: Retries
    /// Connections of clients at once; nil: as many as the system has descriptors for.
    public var connections: Int?
    /// How many may wait for the service at once.
    public var waiting: Int
    public var breaker: CircuitBreaker.Policy?
    public var ejection: OutlierEjection.Policy?

    public init(
        timeouts: Timeouts = .init(), retries: Retries = .init(), connections: Int? = nil, waiting: Int = 1024,
        breaker: CircuitBreaker.Policy? = nil, ejection: OutlierEjection.Policy? = .init()
    ) {
        self.timeouts = timeouts
        self.retries = retries
        self.connections = connections
        self.waiting = waiting
        self.breaker = breaker
        self.ejection = ejection
    }
}
