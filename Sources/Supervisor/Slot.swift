import Platform

/// The place of one instance: `reader.2`. Runs come and go in it, one at a time; only `handover: overlap` has two at once.
struct Slot: Sendable, Equatable {
    let number: Int
    var life: Life = .idle
    /// Beside it in an overlap: the successor until it is ready, and from then on, the two having changed places, the
    /// predecessor until nothing of it is left. Only `idle` or what has a run; `starting` only beside one that runs.
    var aside: Life = .idle
    /// Why what runs was not replaced in the last restart: a sentence.
    var handoverFailure: String?
    /// Automatic restarts.
    var restarts = 0
    /// The delay of the last retry; zero when the next crash is the first.
    var backoff: Duration = .zero
    /// How often in a row its port turned out taken.
    var portsTaken = 0
    /// The foreign process that held the port of the run that is collapsing.
    var portTaken: String?

    /// Whether a successor is on its way up.
    var hasSuccessor: Bool {
        if case .starting = aside { true } else { false }
    }

    var runs: [Run] { [life.run, aside.run].compactMap(\.self) }
}

/// Where a run is.
struct Seat: Sendable, Equatable {
    let index: Int
    var isAside = false
}

extension [Slot] {
    subscript(seat: Seat) -> Life {
        get { seat.isAside ? self[seat.index].aside : self[seat.index].life }
        set { if seat.isAside { self[seat.index].aside = newValue } else { self[seat.index].life = newValue } }
    }
}

/// The life of an instance.
///
///     idle → starting → ready ⇄ unready → draining → stopping → killing → idle, or starting again
///               ↘         ↓        ↙                                 (Ending)
///                 → collapsing → backoff → starting
///                       ↘ completed, failed
enum Life: Sendable, Equatable {
    case idle
    case starting(Run)
    case ready(Run)
    case unready(Run, reason: String)
    /// No new requests; those running may finish.
    case draining(Run, Ending)
    /// Signalled.
    case stopping(Run, Ending)
    /// KILL has been sent.
    case killing(Run, Ending)
    /// Its leader ended unasked; the rest of its tree is being ended.
    case collapsing(Run, ExitStatus)
    case backoff(reason: String, Wait)
    /// Crashed, with no retry to come.
    case failed(reason: String)
    /// - next: where it is started again nevertheless (`restart: always`).
    case completed(epoch: Int, next: Wait? = nil)

    /// What comes when nothing of a run is left.
    enum Ending: Sendable, Equatable {
        case rest
        case replace
    }

    /// How far away the next try is.
    enum Wait: Sendable, Equatable {
        /// A second and more.
        case far
        case near
        /// Now, but a build is running.
        case due
    }

    var run: Run? {
        switch self {
        case .starting(let run), .ready(let run), .unready(let run, _), .draining(let run, _), .stopping(let run, _),
            .killing(let run, _), .collapsing(let run, _):
            run
        case .idle, .backoff, .failed, .completed: nil
        }
    }

    /// How far away it is from being started again by itself; nil where it won't be.
    var nextTry: Wait? {
        get {
            switch self {
            case .backoff(_, let wait): wait
            case .completed(_, let wait): wait
            default: nil
            }
        }
        set {
            switch self {
            case .backoff(let reason, _): if let newValue { self = .backoff(reason: reason, newValue) }
            case .completed(let epoch, _): self = .completed(epoch: epoch, next: newValue)
            default: break
            }
        }
    }

    /// Whether it runs and has not been told to end.
    var isRunning: Bool {
        switch self {
        case .starting, .ready, .unready: true
        default: false
        }
    }

    var isReady: Bool {
        if case .ready = self { true } else { false }
    }

    /// Whether the front may pass something on to it.
    var serves: Bool {
        switch self {
        case .ready, .unready: true
        default: false
        }
    }

    var isBeingReplaced: Bool {
        switch self {
        case .draining(_, .replace), .stopping(_, .replace), .killing(_, .replace): true
        default: false
        }
    }

    /// Whether it will become something else by itself, for the good or the bad, within its timeouts.
    var isInTransit: Bool {
        switch self {
        case .starting, .draining, .stopping, .killing, .collapsing: true
        case .idle, .ready, .unready, .backoff, .failed, .completed: false
        }
    }

    mutating func update(_ change: (inout Run) -> Void) {
        guard var run else { return }
        change(&run)
        switch self {
        case .starting: self = .starting(run)
        case .ready: self = .ready(run)
        case .unready(_, let reason): self = .unready(run, reason: reason)
        case .draining(_, let ending): self = .draining(run, ending)
        case .stopping(_, let ending): self = .stopping(run, ending)
        case .killing(_, let ending): self = .killing(run, ending)
        case .collapsing(_, let exit): self = .collapsing(run, exit)
        case .idle, .backoff, .failed, .completed: break
        }
    }
}

/// One process of an instance.
struct Run: Sendable, Equatable {
    let key: RunKey
    /// Which restart it belongs to: it was started after that restart was asked for, from its build.
    let epoch: Int
    /// Nil until it has been spawned.
    var pid: Int32?
    var port: Int?
    var host = "127.0.0.1"
    var hasBeenReady = false
    var isProbedLive = false
    /// It has only just been started, and no probe tells whether it will stay up: ready, but not to be sworn to.
    var isOnTrial = false
    /// Live probes that failed in a row.
    var failures = 0
    /// Why it was killed: it took more than it may.
    var excess: String?
    /// Why the ready probe failed last.
    var probeFailure: String?
}
