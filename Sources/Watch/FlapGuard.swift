import Platform

/// Tells changes that a build, or a program that starts, makes itself from those of people: what it writes again and
/// again while it is at work would have it built for ever. Belongs to one service.
///
///     change ─► while nothing is at work: somebody's ─► rebuild
///               while something is: rebuild, at first; again in one piece of work after the other: left out
///
/// A piece of work lasts from the first change, build or start until its new process has been up for a moment. Only
/// changes during it are left out, and only until it has once been done without writing anything.
public struct FlapGuard: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// - Parameter cancels: whether a build that is running has become useless. One that cancels itself whenever
        ///   it writes would never come to an end.
        case rebuild(cancels: Bool)
        /// - Parameter isNew: whether `leftOut` is another by now.
        case leaveOut(isNew: Bool)
    }

    /// What is left out while something is at work.
    public enum LeftOut: Sendable, Equatable {
        /// In the order of finding out.
        case files([String])
        /// It writes other files each time.
        case everything
    }

    public private(set) var leftOut: LeftOut?

    private var began: Instant?
    /// Until when what changes may be its own doing; nil while it is at work.
    private var end: Instant?
    private var hasWritten = false

    private var isBuilding = false
    /// When the latest build ended; nil while one runs, and where there is none.
    private var built: Instant?
    /// Whether the build that is running, or the next one, is for a change: others were asked for by somebody, who
    /// waits for them.
    private var isOurs = false
    private var isNextOurs = false

    /// Which files changed during each piece lately, and during how many in a row.
    private var suspects: Set<String> = []
    private var repeats = 0
    /// During how many in a row anything changed.
    private var pieces = 0
    private var isCounted = true
    private var cancels = 0

    private static let mostCancels = 3
    /// In how many pieces in a row the same files, or any, may change: somebody who is quick, or an editor that saves by
    /// itself, may do that just while a build runs a few times, and shortly after a start more often.
    private static let (mostBuilds, mostBuildsOfAny) = (3, 10)
    private static let (mostStarts, mostStartsOfAny) = (20, 25)
    /// How long after its start a program may still write what belongs to starting.
    private static let settling = Duration.seconds(2)
    /// The clock of files goes by the kernel's ticks, and so is behind.
    private static let tick = Duration.milliseconds(10)

    public init() {}

    /// A build begins, perhaps in place of one that was cancelled.
    public mutating func buildBegan(at now: Instant) {
        beginWork(at: now)
        (isBuilding, built) = (true, nil)
        isCounted = false
        isOurs = isNextOurs
        isNextOurs = false
    }

    public mutating func buildEnded(at now: Instant) {
        (isBuilding, built) = (false, now)
        end = now + Self.settling
    }

    /// The former process goes on.
    public mutating func buildFailed(at now: Instant) {
        (isBuilding, built) = (false, now)
        end = now
    }

    /// A process begins, after a build or without one.
    public mutating func processBegan(at now: Instant) {
        if built == nil, !isBuilding {
            beginWork(at: now)
            isCounted = false
        }
        processSettles(at: now)
    }

    public mutating func processReady(at now: Instant) { processSettles(at: now) }

    private mutating func processSettles(at now: Instant) {
        if !isBuilding { end = now + Self.settling }
    }

    /// - Parameter now: when the change is told, which may be later than it was made.
    public mutating func judge(_ change: WatchChange, at now: Instant) -> Verdict {
        var verdict = Verdict.rebuild(cancels: true)
        if mayBeOwnDoing(change) {
            verdict = weigh(change)
        } else {
            forget()
            beginWork(at: now)
        }
        guard case .rebuild = verdict else { return verdict }
        isNextOurs = true
        // What the former process writes as it is stopped is its own doing, too.
        end = nil
        return verdict
    }

    private func mayBeOwnDoing(_ change: WatchChange) -> Bool {
        guard let began, change.first + Self.tick >= began else { return false }
        return end.map { change.last <= $0 } ?? true
    }

    private mutating func weigh(_ change: WatchChange) -> Verdict {
        hasWritten = true
        let paths = Set(change.paths)
        if leavesOut(paths, change) { return .leaveOut(isNew: false) }
        let common = suspects.intersection(paths)
        if common.isEmpty { repeats = 0 }
        suspects = common.isEmpty ? paths : common
        // At first it is more likely that somebody has changed something once more.
        if isBuilding, isOurs, cancels < Self.mostCancels {
            cancels += 1
            return .rebuild(cancels: true)
        }
        if !isCounted {
            isCounted = true
            repeats += 1
            pieces += 1
        }
        let isOfBuild = built.map { change.last <= $0 } ?? isBuilding
        if pieces > (isOfBuild ? Self.mostBuildsOfAny : Self.mostStartsOfAny) {
            leftOut = .everything
            return .leaveOut(isNew: true)
        }
        let files = leftOutFiles + suspects.subtracting(leftOutFiles).sorted()
        // With somebody's own edit among them they count.
        guard repeats > (isOfBuild ? Self.mostBuilds : Self.mostStarts),
            change.others > 0 || paths.isSubset(of: files)
        else { return .rebuild(cancels: false) }
        leftOut = .files(files)
        return .leaveOut(isNew: true)
    }

    private var leftOutFiles: [String] {
        if case .files(let files)? = leftOut { files } else { [] }
    }

    private func leavesOut(_ paths: Set<String>, _ change: WatchChange) -> Bool {
        leftOut == .everything || change.others == 0 && paths.isSubset(of: leftOutFiles)
    }

    /// What follows belongs to the piece that is under way, or is another one where that is over.
    private mutating func beginWork(at now: Instant) {
        let isOver = end.map { $0 < now } ?? (began == nil)
        end = nil
        guard isOver else { return }
        if !hasWritten { leftOut = nil }
        hasWritten = false
        began = now
        forget()
    }

    private mutating func forget() {
        suspects = []
        (repeats, pieces, cancels) = (0, 0, 0)
    }
}
