import Platform
import Testing

@Suite struct PollerTests {
    @Test(arguments: PollerBackend.allCases)
    func wait_readablePipe_isToldOnceUntilRearmed(_ backend: PollerBackend) throws {
        let poller = try backend.make()
        let pipe = try Kernel.real.pipe()
        try Kernel.real.setNonblocking(pipe.reader)
        try poller.add(pipe.reader.raw, token: 7)
        try Kernel.real.writeAll(pipe.writer, "x")
        #expect(try readable(poller) == [7])
        // Nothing was read: the edge is spent.
        #expect(try readable(poller).isEmpty)
        withUnsafeTemporaryAllocation(byteCount: 8, alignment: 1) { _ = try? Kernel.real.read(pipe.reader, into: $0) }
        poller.rearm(pipe.reader.raw, token: 7, .readable)
        try Kernel.real.writeAll(pipe.writer, "y")
        #expect(try readable(poller) == [7])
        poller.remove(pipe.reader.raw, token: 7)
    }

    @Test(arguments: PollerBackend.allCases)
    func wait_peerGone_hangupIsToldAndDoesNotSpin(_ backend: PollerBackend) throws {
        let poller = try backend.make()
        let pipe = try Kernel.real.pipe()
        let reader = pipe.reader
        try poller.add(reader.raw, token: 1)
        pipe.writer.close()
        var events: [PollEvent] = []
        try poller.wait(1000, into: &events)
        #expect(events.first?.readiness.contains(.hangup) == true)
        events = []
        try poller.wait(0, into: &events)
        #expect(events.isEmpty)
        poller.remove(reader.raw, token: 1)
    }

    @Test(arguments: PollerBackend.allCases)
    func wait_removed_isToldNothing(_ backend: PollerBackend) throws {
        let poller = try backend.make()
        let pipes = try [0, 1, 2].map { _ in Ends(try Kernel.real.pipe()) }
        for (index, ends) in pipes.enumerated() {
            try poller.add(ends.reader, token: UInt64(index))
            try ends.write()
        }
        poller.remove(pipes[0].reader, token: 0)
        #expect(try readable(poller).sorted() == [1, 2])
    }

    @Test(arguments: PollerBackend.allCases)
    func add_systemLimit_throws(_ backend: PollerBackend) throws {
        let plan = FaultPlan()
        let poller = try backend.make(Kernel(faults: plan))
        plan.injectNext(.poll, .fails(.noSpace))
        let pipe = try Kernel.real.pipe()
        #expect(throws: Errno.noSpace) { try poller.add(pipe.reader.raw, token: 1) }
    }

    private func readable(_ poller: any Poller) throws -> [UInt64] {
        var events: [PollEvent] = []
        try poller.wait(0, into: &events)
        return events.filter { $0.readiness.contains(.readable) }.map(\.token)
    }

    private final class Ends {
        private let pipe: Pipe
        var reader: Int32 { pipe.reader.raw }

        init(_ pipe: consuming Pipe) { self.pipe = pipe }

        func write() throws { try Kernel.real.writeAll(pipe.writer, "x") }
    }
}
