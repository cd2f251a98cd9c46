import Platform
import TestSupport
import Testing

@testable import Proxy

@Suite struct FaultTests {
    @Test func percent_ofManyRequests_areAffected() {
        let fault = Fault(ending: .disconnect, percent: 10)
        var random = SeededGenerator(5)
        let hit = (0..<100_000).count { _ in fault.decide(dice: random.next()) != .none }
        // Five standard deviations are 475.
        #expect(abs(hit - 10_000) < 475)
    }

    @Test func percent_hundredAndNothing_leaveNothingToChance() {
        var random = SeededGenerator(6)
        for _ in 0..<1000 {
            let dice = random.next()
            #expect(Fault(ending: .disconnect).decide(dice: dice).ending == .disconnect)
            #expect(Fault(ending: .disconnect, percent: 0).decide(dice: dice) == .none)
        }
    }

    /// One dice may choose the target and the fault: a tenth of the requests must not be the tenth that goes to next.
    @Test func fault_ofTheRoutesDice_isIndependentOfTheTarget() throws {
        let route = Route(try #require(Route.Shares([("local", 90), ("next", 10)])))
        let fault = Fault(ending: .disconnect, percent: 50)
        var random = SeededGenerator(7)
        let dice = (0..<100_000).map { _ in random.next() }.filter { route.choose(caller: nil, dice: $0) == "next" }
        let hit = dice.count { fault.decide(dice: $0) != .none }
        #expect(abs(hit - dice.count / 2) < 250)
    }

    @Test func delay_withJitter_liesAroundIt_andNeverBelowZero() {
        let fault = Fault(delay: .milliseconds(200), jitter: .milliseconds(50))
        let steep = Fault(delay: .milliseconds(10), jitter: .milliseconds(50))
        var random = SeededGenerator(8)
        var sum = Duration.zero
        for _ in 0..<10_000 {
            let dice = random.next()
            let delay = fault.decide(dice: dice).delay
            #expect((.milliseconds(150)...(.milliseconds(250))).contains(delay))
            #expect((.zero...(.milliseconds(60))).contains(steep.decide(dice: dice).delay))
            sum += delay
        }
        #expect((.milliseconds(198)...(.milliseconds(202))).contains(sum / 10_000))
    }

    @Test func delay_beyondAllMeasure_doesNotOverflow() {
        let fault = Fault(delay: .seconds(Int64.max), jitter: .seconds(Int64.max))
        for dice in [0, 1, UInt64.max] { #expect(fault.decide(dice: dice).delay >= .zero) }
    }

    @Test func faults_ofSeveralCallers_eachGetsItsOwn() {
        let faults = [
            Fault(ending: .abort(status: 503)), Fault(caller: "reader", delay: .seconds(1)), Fault(rate: 64 << 10),
        ]
        #expect(
            faults.decide(caller: "reader", dice: 1) == FaultAction(delay: .seconds(1), ending: nil, rate: nil))
        #expect(faults.decide(caller: "purge", dice: 1).ending == .abort(status: 503))
        #expect(faults.decide(caller: nil, dice: 1).ending == .abort(status: 503))
        #expect([Fault(caller: "reader", ending: .disconnect)].decide(caller: nil, dice: 1) == .none)
        #expect([Fault]().decide(caller: "reader", dice: 1) == .none)
    }
}
