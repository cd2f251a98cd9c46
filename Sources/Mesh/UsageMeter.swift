import EventLoop
import Platform

/// What a tree of processes uses.
struct Usage: Sendable, Equatable {
    /// Percent of one core.
    var cpu: Double
    /// Bytes.
    var resident: Int
}

/// Measures processor time and memory of process trees, only while somebody asks.
///
/// Asked for the first time in a while, it looks twice within milliseconds: what was used since some earlier question
/// says little about now, and nobody waits a second for `ps`. Then it goes on looking once a second for as long as
/// questions keep coming, so that they are answered from the last second. At rest it has no timer.
final class UsageMeter {
    /// Processes by the one that leads their tree.
    typealias Trees = [Int32: [ProcessEntry]]

    private struct Look {
        let time = Instant.now
        /// Nanoseconds of processor time by process.
        private(set) var cpu: [Int32: Int64] = [:]

        init(_ trees: Trees) {
            for entry in trees.values.joined() { cpu[entry.pid] = ProcessTable.cpuTime(of: entry.pid) }
        }
    }

    private let loop: EventLoop
    private let trees: () -> Trees
    /// The last one and the one before.
    private var looks: [Look] = []
    private var lastAsked = Instant(nanoseconds: .min / 2)
    private var timer: Timer?

    /// The window of a first answer: long enough for clocks of nanoseconds, short enough for a person.
    private static let shortWindow = Duration.milliseconds(4)
    /// How long after a question another is expected.
    private static let interest = Duration.seconds(3)

    /// - Parameter trees: who is there now; asked at each look.
    init(on loop: EventLoop, trees: @escaping () -> Trees) {
        self.loop = loop
        self.trees = trees
    }

    /// Measures every tree, at once or within `shortWindow`.
    func measure(_ done: @escaping ([Int32: Usage]) -> Void) {
        lastAsked = .now
        // Reading the whole table takes the most of it: once a question.
        let trees = trees()
        if timer?.isPending != true { look(at: trees) }
        let left = Self.shortWindow - (.now - looks[0].time)
        if left <= .zero { return done(usage(of: trees)) }
        loop.after(left) { [weak self] in if let self { done(self.usage(of: trees)) } }
    }

    private func look(at trees: Trees) {
        looks = looks.suffix(1) + [Look(trees)]
        timer = loop.after(.seconds(1)) { [weak self] in self?.tick() }
    }

    private func tick() {
        guard Instant.now - lastAsked < Self.interest else {
            looks = []
            return
        }
        look(at: trees())
    }

    private func usage(of trees: Trees) -> [Int32: Usage] {
        guard let base = looks.first else { return [:] }
        let now = Look(trees)
        let window = Double(max((now.time - base.time).nanoseconds, 1))
        return trees.mapValues { tree in
            let used = tree.reduce(Int64(0)) { sum, entry in
                guard let spent = now.cpu[entry.pid] else { return sum }
                // One that came since the last look has spent all its time since.
                return sum + max(spent - (base.cpu[entry.pid] ?? 0), 0)
            }
            return Usage(
                cpu: (Double(used) / window * 1000).rounded() / 10, resident: tree.reduce(0) { $0 + $1.resident })
        }
    }
}
