import EventLoop
import Platform

/// Runs a test's body on an event loop of its own and waits until it calls `done`.
///
/// - Parameter limit: after which the test has failed; generous, for loaded machines.
/// - Returns: what `done` was given, or nil when the time was up.
public func onLoop<Value: Sendable>(
    kernel: Kernel = .real, backend: PollerBackend = .native, within limit: Duration = patience(.seconds(30)),
    _ body: @escaping @Sendable (EventLoop, _ done: @escaping @Sendable (Value) -> Void) -> Void
) -> Value? {
    let result = Handoff<Value>()
    guard
        let thread = try? LoopThread(
            "test", kernel: kernel, backend: backend, setUp: { loop in body(loop) { result.give($0) } })
    else { return nil }
    defer { thread.stop() }
    return result.take(within: limit)
}
