import JSON

/// What `devmesh doctor` found out about one thing.
struct Finding: Sendable, Equatable {
    /// What was looked at, as `ports`.
    var check: String
    var state: State
    /// What is so, and why that matters where it does.
    var detail: String
    /// What to do next; nil where there is nothing to mend.
    var remedy: String?

    enum State: String, Sendable {
        case ok
        /// It works so, but not in every case.
        case warning
        /// Something won't work.
        case problem
    }

    static func ok(_ check: String, _ detail: String) -> Finding {
        Finding(check: check, state: .ok, detail: detail)
    }

    static func warning(_ check: String, _ detail: String, _ remedy: String) -> Finding {
        Finding(check: check, state: .warning, detail: detail, remedy: remedy)
    }

    static func problem(_ check: String, _ detail: String, _ remedy: String? = nil) -> Finding {
        Finding(check: check, state: .problem, detail: detail, remedy: remedy)
    }

    var json: JSON {
        [
            "check": .string(check), "state": .string(state.rawValue), "detail": .string(detail),
            "remedy": remedy.map { .string($0) } ?? .null,
        ]
    }
}
