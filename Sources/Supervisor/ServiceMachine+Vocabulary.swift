import Manifest
import Platform

extension ServiceMachine {
    /// What can happen to a service.
    public enum Event: Sendable, Equatable {
        // Commands.
        case start(Ticket)
        case stop(Ticket)
        case restart(Ticket)
        case build(Ticket)
        case scale(Int, Ticket)
        /// `keep`: the target that is left is not stopped.
        case use(Place, keep: Bool, Ticket)
        /// Its entry of the manifest has changed; what runs is restarted.
        case configure(Service, Ticket)
        /// Files that it is made of have changed: what runs is built and replaced, or will be once it is used again.
        /// - Parameter cancelsBuild: a build that is running is ended and begun anew.
        case filesChanged(cancelsBuild: Bool)
        /// Where it is to be served from once it is wanted again.
        case retarget(Place)
        /// Stop, builds that somebody asked for included: the mesh goes down.
        case end(Ticket)
        /// KILL everything now; what was asked before fails.
        case kill(Ticket)

        case dependencies(DependencyStatus)

        /// The build of this number has got its turn.
        case buildBegan(Int)
        /// The build of this number ended by itself or because it was cancelled; nothing of it is left.
        case buildEnded(Int, BuildResult)

        // Of a run. Late ones, of a generation that is no more, change nothing.
        case spawned(RunKey, pid: Int32, port: Int?)
        /// The program could not be started at all.
        case spawnFailed(RunKey, reason: String)
        /// The ready or live probe passed; `host` is where the program listens, nil if the probe can't tell.
        case probePassed(RunKey, host: String?)
        case probeFailed(RunKey, reason: String)
        /// The process that was spawned is gone; `leftovers` others of its tree are not.
        /// `portTaken` names a foreign process that listens on the port it was given.
        case leaderExited(RunKey, ExitStatus, leftovers: Int, portTaken: String?)
        /// It uses more memory than it may.
        case outgrew(RunKey, reason: String)
        /// Nothing of it is left.
        case treeGone(RunKey)
        /// No exchange with it is running any more.
        case drained(RunKey)
        case timerFired(Timer)

        case remoteFailed(reason: String)
        case remoteSucceeded
    }

    /// What is to be done about it, in this order.
    public enum Effect: Sendable, Equatable {
        /// Answer with `.buildBegan` and `.buildEnded`.
        case build(Int)
        /// End the build and all its processes; `.buildEnded` follows when nothing is left of it.
        case cancelBuild(Int, kill: Bool)
        /// Answer with `.spawned` or `.spawnFailed`.
        case spawn(RunKey)
        /// Look until it passes, then stop looking.
        case probeReady(RunKey)
        /// Look at each interval until told to stop.
        case probeLive(RunKey)
        case stopProbes(RunKey)
        /// Answer with `.drained` when no exchange with it is running.
        case drain(RunKey, limit: Duration)
        /// Those that are not waited for: upgraded ones, streams, raw TCP.
        case closeConnections(RunKey)
        case signal(RunKey, Int32, Recipients)
        /// KILL everything of the run, also what appears from now on.
        case killTree(RunKey)
        case setTimer(Timer, Duration)
        case cancelTimer(Timer)
        case front(ServiceFront)
        case state(ServiceState, reason: String?)
        case complete(Ticket, Outcome)
        /// A line of devmesh's own for the service's log; `instance` where it is about one.
        case note(String, instance: Int?)
        case happened(Happening)
    }

    /// What to tell people who follow `devmesh events`.
    public enum Happening: Sendable, Equatable {
        case buildStarted
        case buildSucceeded
        case buildFailed(String)
        case started(instance: Int, pid: Int32, port: Int?)
        case becameReady(instance: Int)
        case exited(instance: Int, ExitStatus)
        case scaled(Int)
        case switched(Place)
    }

    public enum Recipients: Sendable, Equatable {
        /// The process that was spawned.
        case leader
        /// Its process group.
        case group
        /// Group, descendants and adopted orphans.
        case tree
    }

    /// Timers by name: setting one that is set replaces it.
    public enum Timer: Sendable, Hashable {
        /// The ready timeout.
        case ready(RunKey)
        /// The end of patience: of a drain, then of a signal.
        case stop(RunKey)
        /// The next try after a crash; fires twice where it is over a second away, the first time a second before.
        case retry(instance: Int)
        /// Up for long enough that whoever asked for it is told so, where no probe says that it is ready.
        case trial(RunKey)
        /// Ready for long enough to forget earlier crashes.
        case settled(RunKey)
        /// The next try of a build that failed with nothing serving; twice like `retry`.
        case rebuild
        /// The local target, no longer used, may be stopped.
        case linger
    }

    public enum BuildResult: Sendable, Equatable {
        case succeeded
        case failed(reason: String)
        case cancelled
    }

    /// What the service's `dependsOn` are up to.
    public enum DependencyStatus: Sendable, Equatable {
        case met
        /// `blocksBuild`: one must have completed, which may make what the build needs.
        case waiting(reason: String, blocksBuild: Bool)
        /// One is stopped or has failed: it won't be met soon.
        case blocked(reason: String, blocksBuild: Bool)
    }
}
