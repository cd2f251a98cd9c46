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

/// Who may call, with the answers of docker given by hand.
@Suite struct ContainerCallersTests {
    private final class Docker {
        var asked: [(Set<String>) -> Void] = []
        var told: [String] = []
        lazy var callers = ContainerCallers { [unowned self] _, done in asked.append(done) }

        func call(from address: String) {
            callers.isContainer(of: "db", at: address) { [unowned self] in told.append("\(address) \($0)") }
        }

        func answer(_ addresses: Set<String>) { asked.removeFirst()(addresses) }
    }

    @Test func caller_ofAContainerThatWasNotThereYet_isLookedForOnceMore() {
        let docker = Docker()
        docker.call(from: "1")
        // Docker is being asked: of these it may know nothing yet.
        docker.call(from: "2")
        docker.call(from: "9")
        docker.answer(["1"])
        #expect(docker.told == ["1 true"])
        docker.answer(["1", "2"])
        #expect(docker.told == ["1 true", "2 true", "9 false"])
        // Neither who is known nor who was missed just now is a reason to ask.
        docker.call(from: "2")
        docker.call(from: "9")
        #expect(docker.told.suffix(2) == ["2 true", "9 false"])
        #expect(docker.asked.isEmpty)
    }

    @Test func address_ofAContainerThatWasTakenAwayMeanwhile_isAskedForAnew() {
        let docker = Docker()
        docker.call(from: "1")
        docker.callers.removing(from: "db")
        docker.answer(["1"])
        #expect(docker.told.isEmpty)
        docker.answer([])
        #expect(docker.told == ["1 false"])
        docker.call(from: "2")
        docker.answer(["2"])
        docker.callers.removing(from: "db")
        docker.call(from: "2")
        docker.answer([])
        #expect(docker.told.last == "2 false")
    }
}
