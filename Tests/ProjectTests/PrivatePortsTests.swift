import Platform
import Project
import Synchronization
import Testing

@Suite struct PrivatePortsTests {
    private static func ports(
        avoiding avoided: Set<Int> = [], isFree: @escaping @Sendable (Int) -> Bool = { _ in true },
        isReusable: @escaping @Sendable (Int) -> Bool = { _ in false }
    ) -> PrivatePorts {
        PrivatePorts(avoiding: avoided, isFree: isFree, isReusable: isReusable)
    }

    @Test func ports_areTakenInTurnAndNotTwice() {
        let ports = Self.ports()
        let taken = (0..<1000).compactMap { _ in ports.take() }
        #expect(Set(taken).count == 1000)
        #expect(taken.allSatisfy(PrivatePorts.range.contains))
    }

    @Test func port_thatWasJustUsed_comesLast() throws {
        let ports = Self.ports()
        let first = try #require(ports.take())
        var others = 0
        while let port = ports.take(), port != first { others += 1 }
        #expect(others > 100)
    }

    @Test func ports_thatAreAvoidedTakenOrHeld_arePassedOver() throws {
        let free = Set([10_500, 12_000, 15_000, 19_999])
        let ports = Self.ports(avoiding: [12_000], isFree: { free.contains($0) })
        var taken: Set = [15_000]
        for _ in 0..<2 { taken.insert(try #require(ports.take(besides: taken))) }
        #expect(taken == [10_500, 15_000, 19_999])
        #expect(ports.take(besides: taken) == nil)
        taken.remove(10_500)
        #expect(ports.take(besides: taken) == 10_500)
    }

    @Test func ports_foundAhead_areGivenWithoutAnotherLook() throws {
        let looks = Atomic(0)
        let ports = Self.ports(isFree: { _ in
            looks.add(1, ordering: .relaxed)
            return true
        })
        ports.lookAhead(3)
        let first = try #require(ports.take())
        let second = try #require(ports.take(besides: [first]))
        #expect(second != first && looks.load(ordering: .relaxed) == 3)
        // The third has been given out otherwise.
        let fourth = try #require(ports.take(besides: [first, second, second + 1]))
        #expect(fourth != second + 1)
    }

    @Test func portToBeReused_isTakenOnlyWhereNoneIsFree() {
        let ports = Self.ports(isFree: { $0 == 15_000 }, isReusable: { [12_000, 13_000].contains($0) })
        #expect(ports.take() == 15_000)
        #expect(Set([ports.take(besides: [15_000]), ports.take(besides: [15_000])]) == [12_000, 13_000])
        #expect(ports.take(besides: [12_000, 13_000, 15_000]) == nil)
    }

    @Test func port_ofTheRealMachine_canBeBound() throws {
        let ports = PrivatePorts()
        let port = try #require(ports.take())
        _ = try Kernel.real.listen(at: .loopback(port), reuse: false)
    }
}
