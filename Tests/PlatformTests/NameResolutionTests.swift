import Platform
import Testing

@Suite struct NameResolutionTests {
    @Test func literals_areTheirOwnAddress() throws {
        #expect(try resolveName("127.0.0.1", port: 80) == [.v4(0x7f00_0001, port: 80)])
        #expect(try resolveName("::1", port: 80) == [.v6(0, 1, port: 80, scope: 0)])
    }

    @Test func localhost_isTheLoopback() throws {
        let addresses = try resolveName("localhost", port: 80)
        #expect(addresses.contains(.v4(0x7f00_0001, port: 80)) || addresses.contains(.v6(0, 1, port: 80, scope: 0)))
    }

    @Test func unknownName_saysWhichAndWhy() {
        let error = #expect(throws: NameFailure.self) { try resolveName("nobody.invalid", port: 80) }
        #expect(error?.name == "nobody.invalid")
        #expect(error?.reason.isEmpty == false)
    }
}
