import Platform
import TestSupport
import Testing

@testable import Proxy

private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

/// `#expect` can't call what changes a value; a reference it can.
private final class Held<Value> {
    var value: Value

    init(_ value: Value) { self.value = value }
}

extension Held<CircuitBreaker> {
    func admit(at now: Instant) -> CircuitBreaker.Pass? { value.admit(at: now) }
    func record(_ pass: CircuitBreaker.Pass, _ outcome: CircuitBreaker.Outcome, at now: Instant) {
        value.record(pass, outcome, at: now)
    }
    var state: CircuitBreaker.State { value.state }
}

extension Held<OutlierEjection> {
    func admits(_ index: Int, at now: Instant) -> Bool { value.admits(index, at: now) }
    @discardableResult func record(_ backend: Backend, failed: Bool, at now: Instant) -> Duration? {
        value.record(backend, failed: failed, at: now)
    }
}

extension Held<RetryBudget> {
    func request(at now: Instant) { value.request(at: now) }
    func retry(at now: Instant) -> Bool { value.retry(at: now) }
}

@Suite struct CircuitBreakerTests {
    private func fail(_ breaker: Held<CircuitBreaker>, _ times: Int, at now: Instant) throws {
        for _ in 0..<times {
            let pass = try #require(breaker.admit(at: now))
            breaker.record(pass, .failure, at: now)
        }
    }

    @Test func breaker_afterFailuresInARow_opens_andASuccessBetweenStartsAnew() throws {
        let breaker = Held(CircuitBreaker(.init(failures: 3, open: .seconds(10))))
        try fail(breaker, 2, at: at(0))
        let pass = try #require(breaker.admit(at: at(0)))
        breaker.record(pass, .success, at: at(0))
        try fail(breaker, 2, at: at(0))
        #expect(breaker.state == .closed(failures: 2))
        try fail(breaker, 1, at: at(1))
        #expect(breaker.state == .open(until: at(11)))
        #expect(breaker.admit(at: at(10.9)) == nil)
    }

    @Test func breaker_whenItsTimeIsOver_letsOneTrialThrough_whoseOutcomeDecides() throws {
        let breaker = Held(CircuitBreaker(.init(failures: 1, open: .seconds(10))))
        try fail(breaker, 1, at: at(0))
        let trial = try #require(breaker.admit(at: at(10)))
        #expect(breaker.admit(at: at(11)) == nil)
        breaker.record(trial, .failure, at: at(12))
        #expect(breaker.state == .open(until: at(22)))
        let second = try #require(breaker.admit(at: at(22)))
        breaker.record(second, .success, at: at(23))
        #expect(breaker.state == .closed(failures: 0))
        #expect(breaker.admit(at: at(23)) != nil)
    }

    @Test func breaker_trialThatTaughtNothing_makesRoomForAnother() throws {
        let breaker = Held(CircuitBreaker(.init(failures: 1, open: .seconds(10))))
        try fail(breaker, 1, at: at(0))
        let trial = try #require(breaker.admit(at: at(10)))
        breaker.record(trial, .unknown, at: at(11))
        #expect(breaker.admit(at: at(11)) != nil)
    }

    @Test func breaker_trialThatHangs_isFollowedByAnother_andCountsNoMore() throws {
        let breaker = Held(CircuitBreaker(.init(failures: 1, open: .seconds(10))))
        try fail(breaker, 1, at: at(0))
        let hanging = try #require(breaker.admit(at: at(10)))
        let second = try #require(breaker.admit(at: at(20)))
        breaker.record(hanging, .failure, at: at(21))
        #expect(breaker.admit(at: at(21)) == nil)
        breaker.record(second, .success, at: at(21))
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test func breaker_requestsFromBeforeItOpened_changeNothing() throws {
        let breaker = Held(CircuitBreaker(.init(failures: 1, open: .seconds(10))))
        let slow = try #require(breaker.admit(at: at(0)))
        let other = try #require(breaker.admit(at: at(0)))
        try fail(breaker, 1, at: at(1))
        breaker.record(slow, .success, at: at(2))
        #expect(breaker.state == .open(until: at(11)))
        _ = try #require(breaker.admit(at: at(11)))
        breaker.record(other, .failure, at: at(12))
        #expect(breaker.state == .halfOpen(trialUntil: at(21)))
    }

    /// Whatever comes in which order: while it is open nobody passes, and it always finds back.
    @Test(arguments: 1...20) func breaker_anyOrderOfEvents_keepsItsPromises(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let breaker = Held(CircuitBreaker(.init(failures: 3, open: .seconds(10))))
        var passes: [CircuitBreaker.Pass] = []
        var now = at(0)
        for _ in 0..<2000 {
            now = now + .milliseconds(Int.random(in: 0...3000, using: &random))
            if Bool.random(using: &random) {
                let before = breaker.state
                let pass = breaker.admit(at: now)
                if case .open(let end) = before { #expect((pass != nil) == (now >= end)) }
                if case .closed = before { #expect(pass != nil) }
                if let pass { passes.append(pass) }
            } else if let index = passes.indices.randomElement(using: &random) {
                let outcomes: [CircuitBreaker.Outcome] = [.success, .failure, .failure, .unknown]
                breaker.record(passes.remove(at: index), outcomes.randomElement(using: &random)!, at: now)
            }
        }
        now = now + .seconds(11)
        let trial = try #require(breaker.admit(at: now))
        breaker.record(trial, .success, at: now)
        #expect(breaker.state == .closed(failures: 0))
    }
}

@Suite struct OutlierEjectionTests {
    private static let four = (1...4).map { Backend(instance: "reader.\($0)", port: 10_000 + $0) }

    private func detector(_ count: Int = 4, _ policy: OutlierEjection.Policy = .init(failures: 3)) -> Held<
        OutlierEjection
    > {
        var detector = OutlierEjection(policy)
        detector.set(Array(Self.four.prefix(count)))
        return Held(detector)
    }

    /// Returns what the last of `times` failures did.
    @discardableResult
    private func fail(_ detector: Held<OutlierEjection>, _ index: Int, _ times: Int = 3, at now: Instant) -> Duration? {
        var result: Duration?
        for _ in 0..<times { result = detector.record(Self.four[index], failed: true, at: now) }
        return result
    }

    @Test func instance_afterFailuresInARow_isLeftOutForAWhile() {
        let detector = detector()
        fail(detector, 0, 2, at: at(0))
        detector.record(Self.four[0], failed: false, at: at(0))
        #expect(fail(detector, 0, 2, at: at(0)) == nil)
        #expect(detector.admits(0, at: at(0)))
        #expect(fail(detector, 0, 1, at: at(1)) == .seconds(30))
        #expect(!detector.admits(0, at: at(30.9)))
        #expect(detector.admits(1, at: at(30.9)))
        #expect(detector.admits(0, at: at(31)))
    }

    @Test func instance_thatFailsAgain_isLeftOutForLonger_upToTheMost() {
        let detector = detector()
        var now = at(0)
        for round in 1...12 {
            let time = fail(detector, 0, at: now)
            #expect(time == .seconds(min(round * 30, 300)))
            now = now + (time ?? .zero)
            #expect(detector.admits(0, at: now))
        }
    }

    @Test func instance_thatServedWell_isForgivenStepByStep() {
        let detector = detector()
        #expect(fail(detector, 0, at: at(0)) == .seconds(30))
        #expect(fail(detector, 0, at: at(30)) == .seconds(60))
        #expect(fail(detector, 0, at: at(90)) == .seconds(90))
        #expect(fail(detector, 0, at: at(200)) == .seconds(60), "two intervals of ten seconds took two times off")
        #expect(fail(detector, 0, at: at(1000)) == .seconds(30))
    }

    @Test func ejections_neverTakeMoreThanHalf_orTheOnlyOne() {
        let detector = detector()
        #expect(fail(detector, 0, at: at(0)) != nil)
        #expect(fail(detector, 1, at: at(0)) != nil)
        #expect(fail(detector, 2, at: at(0)) == nil)
        #expect(detector.admits(2, at: at(0)))
        // As soon as one is back, the next failure takes its place.
        #expect(fail(detector, 2, 1, at: at(30)) != nil)

        let alone = self.detector(1)
        #expect(fail(alone, 0, 100, at: at(0)) == nil)
        #expect(alone.admits(0, at: at(0)))
        let all = self.detector(2, .init(failures: 3, maximumPercent: 100))
        #expect(fail(all, 0, at: at(0)) != nil)
        #expect(fail(all, 1, at: at(0)) == nil)
    }

    @Test func instances_thatComeAndGo_leaveTheOthersAsTheyWere() {
        let detector = detector()
        fail(detector, 0, at: at(0))
        fail(detector, 1, 2, at: at(0))
        detector.value.set([Self.four[1], Self.four[0], Backend(instance: "reader.5", port: 1)])
        #expect(!detector.admits(1, at: at(1)))
        #expect(detector.admits(2, at: at(1)))
        #expect(detector.record(Self.four[2], failed: true, at: at(1)) == nil, "it is gone")
        // A third may be out only when there are four.
        #expect(fail(detector, 1, 1, at: at(1)) == nil)
        detector.value.set([Backend(instance: "reader.1", port: 2), Self.four[1], Self.four[2], Self.four[3]])
        #expect(detector.admits(0, at: at(1)), "a new process of the same name is another")
        #expect(fail(detector, 1, 1, at: at(1)) != nil)
    }

    @Test(arguments: 1...20) func ejections_inAnyOrder_leaveHalfOfThem(seed: UInt64) {
        var random = SeededGenerator(seed)
        let detector = detector(4, .init(failures: 2, time: .seconds(5)))
        var now = at(0)
        for _ in 0..<3000 {
            now = now + .milliseconds(Int.random(in: 0...500, using: &random))
            let backend = Self.four.randomElement(using: &random)!
            detector.record(backend, failed: Int.random(in: 0...2, using: &random) > 0, at: now)
            let left = (0..<4).count { detector.admits($0, at: now) }
            #expect(left >= 2)
        }
        now = now + .seconds(300)
        #expect((0..<4).allSatisfy { detector.admits($0, at: now) })
    }
}

@Suite struct RetryBudgetTests {
    @Test func retries_areAPartOfTheRequests_besideTheFreeOnes() {
        let budget = Held(RetryBudget(.init(percent: 20, minimumPerSecond: 0), at: at(0)))
        for _ in 0..<100 { budget.request(at: at(0)) }
        #expect((0..<100).count { _ in budget.retry(at: at(0)) } == 20)

        let quiet = Held(RetryBudget(.init(percent: 20, minimumPerSecond: 10), at: at(0)))
        #expect((0..<1000).count { _ in quiet.retry(at: at(0)) } == 100, "ten seconds' worth")
        #expect(!quiet.retry(at: at(9.9)))
        #expect(quiet.retry(at: at(10)), "what was spent ten seconds ago is forgotten")
    }

    @Test func requests_ofTenSecondsAgo_payForNothing() {
        let budget = Held(RetryBudget(.init(percent: 100, minimumPerSecond: 0), at: at(0)))
        budget.request(at: at(0))
        budget.request(at: at(5))
        #expect(budget.retry(at: at(9)))
        #expect(!budget.retry(at: at(10.5)))
        budget.request(at: at(100))
        #expect(budget.retry(at: at(100)))
    }

    @Test func withoutABudget_nothingIsRetried() {
        let budget = Held(RetryBudget(.init(percent: 0, minimumPerSecond: 0), at: at(0)))
        for _ in 0..<1000 { budget.request(at: at(0)) }
        #expect(!budget.retry(at: at(0)))
    }

    /// Everything fails and everyone retries: the load grows by the budget, not by the number of attempts.
    @Test func retries_ofAServiceThatAlwaysFails_stayWithinTheBudget() {
        let budget = Held(RetryBudget(.init(percent: 20, minimumPerSecond: 10), at: at(0)))
        var retries = 0
        for millisecond in 0..<60_000 {
            let now = at(Double(millisecond) / 1000)
            budget.request(at: now)
            for _ in 0..<3 where budget.retry(at: now) { retries += 1 }
        }
        // 60,000 requests earn 12,000, and 60 seconds 600; ten seconds of both may be used at once.
        #expect((12_000...14_800).contains(retries))
    }
}
