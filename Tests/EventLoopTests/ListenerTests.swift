import EventLoop
import Platform
import TestSupport
import Testing

@Suite struct ListenerTests {
    /// EMFILE: the connection stays in the backlog and is taken once a descriptor is free.
    @Test func accept_outOfDescriptors_pausesAndLosesNothing() {
        let plan = FaultPlan()
        plan.inject(.accept, times: 2, .fails(.tooManyOpenFiles))
        let accepted: Int? = onLoop(kernel: Kernel(faults: plan)) { loop, done in
            var taken: [Int32] = []
            let listener = try! Listener(try! loop.kernel.listen(at: .loopback(0)), on: loop) { connection in
                taken.append(connection.release())
                if taken.count == 3 {
                    for raw in taken { Descriptor(owning: raw).close() }
                    done(plan.count(.accept))
                }
            }
            for _ in 0..<3 {
                let client = try! Kernel.real.socket(for: .loopback(0))
                _ = try! Kernel.real.connect(client, to: listener.address!)
                _ = client.release()
            }
            loop.after(.seconds(60)) { listener.close() }
        }
        // Two refusals and three connections, perhaps one look that found nothing: no spinning.
        #expect(accepted.map { (5...6).contains($0) } == true)
    }

    @Test func accept_outOfDescriptors_takesOneOfTheReserve() {
        let plan = FaultPlan()
        plan.inject(.accept, .fails(.tooManyOpenFiles))
        let reserve = DescriptorReserve(size: 1)
        reserve.keep()
        let calls: Int? = onLoop(kernel: Kernel(faults: plan)) { loop, done in
            let socket = try! loop.kernel.listen(at: .loopback(0))
            var listener: Listener?
            listener = try! Listener(socket, on: loop, reserve: reserve) { _ in
                listener?.close()
                done(plan.count(.accept))
            }
            let client = try! Kernel.real.socket(for: .loopback(0))
            _ = try! Kernel.real.connect(client, to: listener!.address!)
            _ = client.release()
        }
        // Refused and taken at once, without a pause in which others are looked at.
        #expect(calls == 2)
    }

    @Test func close_connectionsWaiting_noneIsTakenAnyMore() {
        let taken: Bool? = onLoop { loop, done in
            let listener = try! Listener(try! loop.kernel.listen(at: .loopback(0)), on: loop) { _ in done(true) }
            let client = try! loop.kernel.socket(for: .loopback(0))
            _ = try! loop.kernel.connect(client, to: listener.address!)
            listener.close()
            loop.after(.milliseconds(20)) { done(false) }
        }
        #expect(taken == false)
    }
}
