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
/// Asked for the first time in a while, it looks twice within milliseconds; then it goes on looking once a second for
/// as long as questions keep coming, so that they are answered from the last second. At rest it has no timer.
final class UsageMeter {
    private struct Look {
        var time: Instant
        /// Nanoseconds of processor time by process.
        var cpu: [Int32: Int64]
    }

    private let loop: EventLoop
    private let roots: () -> [Int32]
    private var looks: [Look] = []
    private var lastAsked = Instant(nanoseconds: .min / 2)
    private var timer: Timer?

    /// The window of a first answer: long enough for clocks of nanoseconds, short enough for a person.
    private static let shortWindow = Duration.milliseconds(4)
    private static let interest = Duration.seconds(10)

    /// - Parameter roots: the processes whose trees are measured, asked at each look.
    init(on loop: EventLoop, roots: @escaping () -> [Int32]) {
        self.loop = loop
        self.roots = roots
    }

    /// Measures the tree of every root, at once or within `shortWindow`.
    func measure(_ done: @escaping ([Int32: Usage]) -> Void) {
        lastAsked = .now
        if timer?.isPending != true {
            looks = [look(ProcessTable.snapshot())]
            timer = loop.after(.seconds(1)) { [weak self] in self?.tick() }
        }
        if Instant.now - looks[0].time < Self.shortWindow {
            loop.after(Self.shortWindow) { [weak self] in if let self { done(self.answer()) } }
        } else {
            done(answer())
        }
    }

    private func tick() {
        guard Instant.now - lastAsked < Self.interest else {
            looks = []
            return
        }
        looks = looks.suffix(1) + [look(ProcessTable.snapshot())]
        timer = loop.after(.seconds(1)) { [weak self] in self?.tick() }
    }

    private func answer() -> [Int32: Usage] {
        let table = ProcessTable.snapshot()
        let now = look(table)
        guard let base = looks.first else { return [:] }
        let window = Double(max((now.time - base.time).nanoseconds, 1))
        var result: [Int32: Usage] = [:]
        for root in roots() {
            let tree = Self.tree(of: root, in: table)
            let used = tree.reduce(Int64(0)) { sum, entry in
                guard let spent = now.cpu[entry.pid] else { return sum }
                // One that came since the last look has spent all its time since.
                return sum + max(spent - (base.cpu[entry.pid] ?? 0), 0)
            }
            let resident = tree.reduce(0) { $0 + $1.resident }
            result[root] = Usage(cpu: (Double(used) / window * 1000).rounded() / 10, resident: resident)
        }
        return result
    }

    private func look(_ table: ProcessTable) -> Look {
        var cpu: [Int32: Int64] = [:]
        for root in roots() {
            for entry in Self.tree(of: root, in: table) { cpu[entry.pid] = ProcessTable.cpuTime(of: entry.pid) }
        }
        return Look(time: .now, cpu: cpu)
    }

    private static func tree(of root: Int32, in table: ProcessTable) -> [ProcessEntry] {
        let below = table.descendants(of: root)
        let known = Set(below.map(\.pid))
        // Orphans that stayed in the session belong to it still.
        return below + table.entries.filter { $0.session == root && !known.contains($0.pid) }
    }
}
