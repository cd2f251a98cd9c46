import Testing

@testable import Supervisor

@Suite struct ContainersTests {
    @Test(arguments: [
        ("172.17.0.1", "172.17.0.1"), ("172.17.0.0/16", "172.17.0.1"), ("10.1.2.64/26", "10.1.2.65"),
        ("fd00::/64", nil), ("/", nil),
    ]) func gateway_isTheBridgesOwnAddress(told: String, address: String?) {
        #expect(Containers.gateway(told) == address)
    }
}
