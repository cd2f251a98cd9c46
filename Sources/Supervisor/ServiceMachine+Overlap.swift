import Manifest
import Platform

/// `handover: overlap`: in a restart the successor of an instance starts beside it, and takes its place once ready.
///
///     life   ready ───────────────▶ ready (the successor)
///     aside  starting (successor) ▶ draining (the predecessor) → stopping → … → idle
///                └─ fails: stopping → … → idle; what serves is left as it is
extension ServiceMachine {
    var overlaps: Bool { service.handover == .overlap }

    /// Has an instance that serves run a process of the current epoch.
    mutating func replace(_ index: Int) {
        if overlaps {
            spawn(Seat(index: index, isAside: true))
        } else {
            takeDown(Seat(index: index), .replace)
        }
    }

    /// The successor is ready: in one step the front leads to it and to the predecessor no more.
    mutating func takeOver(_ index: Int) {
        swapSeats(index)
        takeDown(Seat(index: index, isAside: true), .rest)
    }

    /// What ran has ended before its successor was ready, which is now waited for like any other that starts.
    /// - Parameter rest: what is left of the former.
    /// - Returns: false where there is no successor.
    mutating func makeWay(_ index: Int, for rest: Life) -> Bool {
        guard slots[index].hasSuccessor else { return false }
        swapSeats(index)
        slots[index].aside = rest
        return true
    }

    private mutating func swapSeats(_ index: Int) {
        let former = slots[index].life
        slots[index].life = slots[index].aside
        slots[index].aside = former
        // What the next process does is its own doing.
        slots[index].backoff = .zero
    }

    /// A successor has ended before it was ready, and nothing of it is left.
    mutating func successorEnded(_ index: Int, _ run: Run, _ exit: ExitStatus) {
        slots[index].aside = .idle
        // Else there is nobody to succeed any more: that one is tried again by itself.
        guard slots[index].life.isRunning else { return }
        if triesAnotherPort(index, than: run) { return spawn(Seat(index: index, isAside: true)) }
        successorFailed(index, whyEnded(index, run, exit))
    }

    mutating func successorFailed(_ index: Int, _ reason: String) {
        let sentence = "the new process did not take over: \(reason); the old one goes on serving"
        slots[index].handoverFailure = sentence
        emit(.note(sentence, instance: slots[index].number))
    }
}
