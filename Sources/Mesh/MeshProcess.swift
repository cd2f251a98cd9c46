import EventLoop
import Platform
import Project
import Proxy

/// The supervisor: what `devmesh up` is once it has found no mesh to follow.
public enum MeshProcess {
    /// Brings a mesh up on this thread and keeps it up until it is told to end.
    ///
    /// ^C, SIGTERM and SIGHUP are a graceful down; a second ^C kills.
    ///
    /// - Returns: the exit code: 0 after a graceful end, 1 after a kill.
    /// - Throws: where it could not come up; then nothing was started.
    public static func run(
        _ lease: SupervisorLease, _ options: MeshOptions, _ hooks: MeshHooks, kernel: Kernel = .real
    ) throws(MeshError) -> Int32 {
        // The lease ends with this process and not before: whoever waits for it, as `down` does, finds nothing left.
        _ = Unmanaged.passRetained(lease)
        Signal.pipe.ignore()
        ThisProcess.raiseOpenFiles()
        ThisProcess.reserveDescriptorTable()
        ThisProcess.becomeSubreaper()
        let planned = try Planned(
            lease.project, places: lease.places, services: options.services, local: options.local,
            environment: options.environment, kernel: kernel)
        for notice in planned.notices { hooks.notice(notice) }
        let fronts = Set(planned.plan.frontSpecs.map(\.port))
        try planned.checkFree(lease.project, lease.places, besides: fronts, kernel)

        let loop = try attempt { () throws(Errno) in try EventLoop(kernel: kernel) }
        let mesh = try Mesh(on: loop, lease: lease, options: options, hooks: hooks, planned: planned)
        let signals = try attempt { () throws(Errno) in
            try SignalWatch([.interrupt, .terminate, .hangup], on: loop) { mesh.heard($0.signal) }
        }
        try mesh.comeUp(planned)
        try attempt { () throws(Errno) in try loop.run() }
        signals.close()
        hooks.ended()
        return mesh.wasKilled ? 1 : 0
    }

    private static func attempt<T>(_ body: () throws(Errno) -> T) throws(MeshError) -> T {
        do throws(Errno) { return try body() } catch { throw .failed(Sentences.cannotStart(error)) }
    }
}

extension Mesh {
    /// ^C is asked twice when it is meant.
    fileprivate func heard(_ signal: Signal) {
        if signal == .interrupt, case .stopping = phase { kill() } else { stop() }
    }
}
