/// Who is calling whom right now, as far as edges tell.
struct CallGraph {
    struct Call: Hashable {
        var caller: String
        var target: String
    }

    private var targets: [String: Set<String>] = [:]

    init(_ calls: some Sequence<Call>) {
        for call in calls { targets[call.caller, default: []].insert(call.target) }
    }

    /// Whether something that `origin` is waiting for may be waiting for `service`, over any number of calls.
    func reaches(_ service: String, from origin: String) -> Bool {
        var seen: Set<String> = [origin]
        var next = [origin]
        while let caller = next.popLast() {
            for target in targets[caller] ?? [] {
                if target == service { return true }
                if seen.insert(target).inserted { next.append(target) }
            }
        }
        return false
    }
}
