import TestSupport
import Testing

@testable import Platform

@Suite struct PlatformThreadTests {
    @Test func takeOver_isAnotherThread_withTheCallersSignals() throws {
        let before = try blockedSignals()
        let caller = PlatformThread.currentID
        let (other, within) = try PlatformThread.takeOver("stand-in") {
            (PlatformThread.currentID, Result { try blockedSignals() })
        }
        #expect(other != caller)
        #expect(try within.get() == before)
        #expect(try blockedSignals() == before)
    }

    /// As proc_pid_status(5) shows them, of the calling thread.
    private func blockedSignals() throws -> String {
        let status = String(decoding: try Kernel.real.readFile("/proc/thread-self/status"), as: UTF8.self)
        return try #require(status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") }.map(String.init))
    }
}
