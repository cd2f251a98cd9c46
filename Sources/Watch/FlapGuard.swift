import Platform

/// Tells changes that a build, or a program that starts, makes itself from those of people: what it writes again and
/// again while it is at work would have it built for ever. Belongs to one service.
///
///     change ─► while nothing is at work: somebody's ─► rebuild
///               while something is: rebuild, at first; the same file again in build after build: left out
///
/// Only changes during the work are left out, so that somebody's own change of the same file still counts.
public struct FlapGuard: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// - Parameter cancels: whether a build that is running has become useless. One that cancels itself whenever
        ///   it writes would never come to an end.
        case rebuild(cancels: Bool)
        /// - Parameter isNew: whether this is the first time.
        case leaveOut(String, isNew: Bool)
    }

    private var began: Instant?
    /// When its build, and all of it, had ended.
    private var built: Instant?
    private var ended: Instant?
    /// Which changed during each piece of work lately.
    private var suspects: Set<String> = []
    private var cancels = 0
    private var pieces = 0
    private var isCounted = false
    /// Whether the build that is running, or the next one, is for a change: others were asked for by somebody, who
    /// waits for them.
    private var isOurs = false
    /// Whether it is built at all, and whether the process that follows has begun.
    private var isBuilt = false
    private var hasProcess = false
    private var isNextOurs = false
    /// What is left out while something is at work, in the order of finding out.
    public private(set) var leftOut: [String] = []

    private static let mostCancels = 3
    /// Somebody who is quick may save a file again just while it is being built, or a program starts, a few times.
    private static let mostBuilds = 3
    private static let mostStarts = 8
    /// Until what a build has written is known.
    private static let delay = Duration.milliseconds(20)

    public init() {}

    /// A build begins, perhaps in place of one that was cancelled.
    public mutating func buildBegan(at now: Instant) {
        if began == nil || ended != nil { began = now }
        (built, ended) = (nil, nil)
        (isBuilt, hasProcess) = (true, false)
        isCounted = false
        isOurs = isNextOurs
        isNextOurs = false
    }

    public mutating func buildEnded(at now: Instant) { built = now }

    /// A new process begins, after a build or without one.
    public mutating func processBegan(at now: Instant) {
        hasProcess = true
        // What a build has written may be told only now.
        if isBuilt { return }
        if began == nil || ended != nil { began = now }
        (built, ended) = (began, nil)
        isCounted = false
    }

    /// Without having been ready it has done its work badly, but done.
    public mutating func processExited(at now: Instant) {
        if isBuilt, hasProcess, ended == nil { processEnded(at: now) }
    }

    /// The new process is ready, or there is none.
    public mutating func processEnded(at now: Instant) {
        built = built ?? now
        ended = now
    }

    public mutating func judge(_ change: WatchChange) -> Verdict {
        let verdict = weigh(change)
        if case .rebuild = verdict { isNextOurs = true }
        return verdict
    }

    private mutating func weigh(_ change: WatchChange) -> Verdict {
        let isDuring = began.map { change.first >= $0 } ?? false
        guard isDuring, ended.map({ change.last <= $0 + Self.delay }) ?? true else {
            forget()
            return .rebuild(cancels: true)
        }
        let paths = Set(change.paths)
        if change.others == 0, paths.isSubset(of: leftOut), let path = change.paths.first {
            return .leaveOut(path, isNew: false)
        }
        let common = suspects.intersection(paths)
        // Something else was changed as well, or for the first time.
        if common.isEmpty { forget() }
        suspects = common.isEmpty ? paths : common
        // What has changed during a whole build is likely to be its own doing.
        if built == nil, isOurs, pieces == 0, cancels < Self.mostCancels {
            cancels += 1
            return .rebuild(cancels: true)
        }
        if !isCounted {
            isCounted = true
            pieces += 1
        }
        let isOfBuild = built.map { change.last <= $0 + Self.delay } ?? true
        guard pieces > (isOfBuild ? Self.mostBuilds : Self.mostStarts),
            // With somebody's own edit among them they count.
            change.others > 0 || paths.isSubset(of: suspects.union(leftOut)),
            let path = change.paths.first(where: suspects.contains)
        else { return .rebuild(cancels: false) }
        leftOut += suspects.subtracting(leftOut).sorted()
        return .leaveOut(path, isNew: true)
    }

    private mutating func forget() {
        suspects = []
        cancels = 0
        pieces = 0
    }
}
