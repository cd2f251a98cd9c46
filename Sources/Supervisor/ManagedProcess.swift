import Platform

/// A program that was started in a session of its own, and everything that it starts in turn.
///
///     running → (its leader exits) → leaderless, where others of its tree are left → gone
///
/// Belongs to a `ProcessTrees`.
final class ManagedProcess {
    enum Phase {
        case running
        /// Its leader has been reaped; told at the next look, which finds out who is left.
        case exited(ExitStatus)
        case leaderless
        case gone
    }

    /// Of the leader; also names its process group and session.
    let pid: Int32
    /// In the environment of all that it starts, unless they clear it.
    let marker: String
    /// Of all that descends from it.
    let tag: UInt64
    var phase = Phase.running
    /// Since when everything that is found of it is killed.
    var doom: Instant?
    /// Once the group has been seen empty its number may name another.
    var hasGroup = true
    /// Its living members at the last look, by pid, with when they were started: one that is dying shows no
    /// environment any more, and so no marker.
    var known: [Int32: UInt64] = [:]
    /// Held open, never written: the program sees neither input nor an end of it.
    var stdin: Descriptor?
    /// How the leader ended, and how many others are left; nothing is left if that is 0.
    var onExit: ((ExitStatus, Int) -> Void)?
    /// Called after `onExit` told of others: now nothing is left.
    var onGone: (() -> Void)?

    init(pid: Int32, marker: String, tag: UInt64) {
        self.pid = pid
        self.marker = marker
        self.tag = tag
    }

    var isGone: Bool {
        if case .gone = phase { true } else { false }
    }

    var isLeaderAlive: Bool {
        if case .running = phase { true } else { false }
    }
}
