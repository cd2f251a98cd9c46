import Platform
import TestSupport
import Testing

@Suite struct KernelTests {
    @Test func read_interrupted_isTriedAgain() throws {
        let plan = FaultPlan()
        let kernel = Kernel(faults: plan)
        let pipe = try kernel.pipe()
        try kernel.writeAll(pipe.writer, "x")
        plan.inject(.read, times: 3, .fails(.interrupted))
        #expect(try read(kernel, pipe.reader) == .bytes(1))
        #expect(plan.count(.read) == 4)
    }

    @Test func read_nothingThere_wouldBlock() throws {
        let pipe = try Kernel.real.pipe()
        try Kernel.real.setNonblocking(pipe.reader)
        #expect(try read(.real, pipe.reader) == .wouldBlock)
    }

    @Test func read_writerGone_endOfFile() throws {
        let pipe = try Kernel.real.pipe()
        let reader = pipe.reader
        pipe.writer.close()
        #expect(try read(.real, reader) == .endOfFile)
    }

    @Test func write_readerGone_brokenPipeNotSignal() throws {
        Signal.pipe.ignore()
        let pipe = try Kernel.real.pipe()
        let writer = pipe.writer
        pipe.reader.close()
        #expect(throws: Errno.brokenPipe) { try Kernel.real.writeAll(writer, "x") }
    }

    @Test func writeAll_shortWrites_everythingArrivesOnce() throws {
        let plan = FaultPlan()
        let kernel = Kernel(faults: plan)
        plan.inject(.write, times: 100, .short(3))
        let pipe = try kernel.pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        try kernel.writeAll(writer, "a message of some length")
        writer.close()
        var text = ""
        try withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            while case .bytes(let count) = try Kernel.real.read(reader, into: buffer) {
                text += String(decoding: buffer[..<count], as: UTF8.self)
            }
        }
        #expect(text == "a message of some length")
        #expect(plan.count(.write) == 8)
    }

    @Test func pipe_outOfDescriptors_throws() {
        let plan = FaultPlan()
        plan.inject(.pipe, .fails(.tooManyOpenFiles))
        #expect(throws: Errno.tooManyOpenFiles) { _ = try Kernel(faults: plan).pipe() }
    }

    @Test func descriptors_areCloseOnExec() throws {
        let folder = TemporaryFolder()
        let pipe = try Kernel.real.pipe()
        let file = try Kernel.real.open(folder.path + "/f", .append)
        let socket = try Kernel.real.listen(at: .loopback(0))
        let copy = try Kernel.real.duplicate(file)
        for raw in [pipe.reader.raw, pipe.writer.raw, file.raw, socket.raw, copy.raw] {
            let flags = Kernel.real.flags(ofRaw: raw)
            #expect(flags.closesOnExec)
        }
    }

    private func read(_ kernel: Kernel, _ descriptor: borrowing Descriptor) throws -> ReadResult {
        var result = ReadResult.endOfFile
        var failure: Errno?
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { buffer in
            do throws(Errno) { result = try kernel.read(descriptor, into: buffer) } catch { failure = error }
        }
        if let failure { throw failure }
        return result
    }
}
