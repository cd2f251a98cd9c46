@testable import Platform
import Testing

@Suite struct SignalsTests {
    @Test(arguments: [("TERM", 15), ("SIGTERM", 15), ("hup", 1), ("sigint", 2), ("KILL", 9)])
    func name_anyForm_isFound(_ name: String, _ number: Int32) {
        #expect(Signal(name: name)?.number == number)
    }

    @Test(arguments: ["", "SIG", "TERMINATE", "15"])
    func name_unknown_isNil(_ name: String) { #expect(Signal(name: name) == nil) }

    @Test func pipe_severalSubscribers_eachSeesSignalAndSender() throws {
        let first = try SignalPipe([.windowSize])
        let second = try SignalPipe([.windowSize, .hangup])
        try send("WINCH")
        for pipe in [first, second] {
            #expect(waitReadable(pipe.reader, timeout: .seconds(30)))
            var seen: [SignalPipe.Arrival] = []
            pipe.drain { seen.append($0) }
            // Other tests may send it too.
            #expect(seen.contains(.init(signal: .windowSize, fromProcess: true)))
            #expect(seen.allSatisfy { $0.signal == .windowSize })
        }
    }

    private func send(_ name: String) throws {
        let request = SpawnRequest(
            path: "/bin/sh", arguments: ["sh", "-c", "kill -s \(name) \(ThisProcess.id)"], environment: [:])
        #expect(ChildTable.wait(try ChildTable.spawn(request)).isSuccess)
    }
}
