import EventLoop
import Platform

/// What a tree of processes uses.
struct Usage: Sendable, Equatable {
    /// Percent of one core.
    var cpu: Double
    /// Bytes.
    var resident: Int
}

/// Measures processor time and memory of process trees: one look at the table of processes for each question, and no
/// timer. What is asked again within seconds is answered since the question before; what is not, from two looks within
/// milliseconds, since nobody waits a second for `ps`.
final class UsageMeter {
    /// Processes by the one that leads their tree.
    typealias Trees = [Int32: [ProcessEntry]]

    private let loop: EventLoop
    private let trees: () -> Trees
    /// The newest last.
    private var looks: [UsageLook] = []

    /// A first answer's: long enough for clocks of nanoseconds, short enough for a person.
    private static let shortWindow = Duration.milliseconds(4)
    /// How old the look may be that a later answer begins with.
    private static let window = Duration.milliseconds(900)...Duration.seconds(10)

    /// Looks that come closer together are not kept.
    private static let pause = Duration.milliseconds(100)

    /// - Parameter trees: who is there now.
    init(on loop: EventLoop, trees: @escaping () -> Trees) {
        self.loop = loop
        self.trees = trees
    }

    /// Measures every tree, at once or within `shortWindow`.
    func measure(_ done: @escaping ([Int32: Usage]) -> Void) {
        let trees = trees()
        let look = UsageLook(trees)
        looks.removeAll { look.time - $0.time > Self.window.upperBound }
        defer { if looks.last.map({ look.time - $0.time > Self.pause }) ?? true { looks.append(look) } }
        if let base = looks.last(where: { look.time - $0.time >= Self.window.lowerBound }) {
            // Older ones are of no more use.
            looks.removeAll { $0.time < base.time }
            return done(look.usage(since: base))
        }
        loop.after(Self.shortWindow) { done(UsageLook(trees).usage(since: look)) }
    }
}

/// What processes had used at one moment.
struct UsageLook {
    /// Nanoseconds of processor time: a process's own, and that of children whose ends it has seen.
    struct Time {
        var own: Int64
        var children: Int64
    }

    let time = Instant.now
    private let trees: UsageMeter.Trees
    private let times: [Int32: Time]

    init(_ trees: UsageMeter.Trees) {
        self.trees = trees
        var times: [Int32: Time] = [:]
        for entry in trees.values.joined() {
            guard let own = ProcessTable.cpuTime(of: entry.pid) else { continue }
            times[entry.pid] = Time(own: own, children: entry.childrenTime)
        }
        self.times = times
    }

    func usage(since base: UsageLook) -> [Int32: Usage] {
        let span = time - base.time
        return trees.reduce(into: [:]) { result, tree in
            let spent = used(by: tree.value, since: base.times, base.trees[tree.key] ?? [])
            result[tree.key] = Usage(
                cpu: (Double(spent) / Double(max(span.nanoseconds, 1)) * 1000).rounded() / 10,
                resident: tree.value.reduce(0) { $0 + $1.resident })
        }
    }

    /// One that came since then has used all its time since; of one that has gone, its parent knows.
    private func used(by tree: [ProcessEntry], since base: [Int32: Time], _ former: [ProcessEntry]) -> Int64 {
        var own: Int64 = 0
        var children: Int64 = 0
        for entry in tree {
            guard let now = times[entry.pid] else { continue }
            own += max(now.own - (base[entry.pid]?.own ?? 0), 0)
            children += max(now.children - (base[entry.pid]?.children ?? 0), 0)
        }
        for entry in former where times[entry.pid] == nil {
            children -= base[entry.pid].map { $0.own + $0.children } ?? 0
        }
        return own + max(children, 0)
    }
}
