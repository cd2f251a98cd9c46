import Platform

/// Signals of this process, told on a loop; but for SIGHUP where whoever started it has it ignore that (nohup(1)).
public final class SignalWatch: ReadinessHandler {
    private let signals: SignalPipe
    private let body: (SignalPipe.Arrival) -> Void
    private var registration: Registration?

    public init(_ list: [Signal], on loop: EventLoop, _ body: @escaping (SignalPipe.Arrival) -> Void) throws(Errno) {
        signals = try SignalPipe(list.filter { $0 != .hangup || !$0.isIgnored }, kernel: loop.kernel)
        self.body = body
        registration = nil
        registration = try loop.watch(signals.reader, self)
    }

    /// Must be called before the last reference goes.
    public func close() {
        registration?.cancel()
        registration = nil
    }

    public func ready(_ readiness: Readiness) {
        signals.drain(body)
        registration?.rearm(.readable)
    }
}
