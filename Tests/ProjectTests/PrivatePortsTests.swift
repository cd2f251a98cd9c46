import Platform
import Project
import Testing

@Suite struct PrivatePortsTests {
    @Test func ports_areTakenInTurnAndNotTwice() {
        let ports = PrivatePorts(gatewayPort: 20_000, isFree: { _ in true })
        let taken = (0..<1000).compactMap { _ in ports.take() }
        #expect(Set(taken).count == 1000)
        #expect(taken.allSatisfy(PrivatePorts.range.contains))
    }

    @Test func port_thatWasJustUsed_comesLast() throws {
        let ports = PrivatePorts(gatewayPort: 20_000, isFree: { _ in true })
        let first = try #require(ports.take())
        ports.release(first)
        var others = 0
        while let port = ports.take(), port != first {
            ports.release(port)
            others += 1
        }
        #expect(others > 100)
    }

    @Test func twoMeshes_startInDifferentStretches() {
        let one = PrivatePorts(gatewayPort: 20_000, isFree: { _ in true })
        let two = PrivatePorts(gatewayPort: 20_200, isFree: { _ in true })
        let ports = (0..<150).flatMap { _ in [one.take(), two.take()] }
        #expect(Set(ports).count == 300)
    }

    @Test func ports_thatAreAvoidedOrHeld_arePassedOver() throws {
        let free = Set([10_500, 12_000, 19_999])
        let ports = PrivatePorts(gatewayPort: 20_000, avoiding: [12_000], isFree: free.contains)
        #expect(Set([ports.take(), ports.take()]) == [10_500, 19_999])
        #expect(ports.take() == nil)
        ports.release(10_500)
        #expect(ports.take() == 10_500)
    }

    @Test func everyGatewayPort_hasAStretchInsideTheRange() throws {
        for gateway in stride(from: 1024, through: 65_336, by: 100) {
            let ports = PrivatePorts(gatewayPort: gateway, isFree: { _ in true })
            let port = try #require(ports.take())
            #expect(PrivatePorts.range.contains(port))
        }
    }

    @Test func port_ofTheRealMachine_canBeBound() throws {
        let ports = PrivatePorts(gatewayPort: 20_000)
        let port = try #require(ports.take())
        _ = try Kernel.real.listen(at: .loopback(port), reuse: false)
    }
}
