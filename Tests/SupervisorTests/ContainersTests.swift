import Platform
import TestSupport
import Testing

@testable import Supervisor

@Suite struct ContainersTests {
    @Test(arguments: [
        ("172.17.0.1", "172.17.0.1"), ("172.17.0.0/16", "172.17.0.1"), ("10.1.2.64/26", "10.1.2.65"),
        ("fd00::/64", nil), ("/", nil),
    ]) func gateway_isTheBridgesOwnAddress(told: String, address: String?) {
        #expect(Containers.gateway(told) == address)
    }

    @Test func removal_onTheWayDown_waitsOnceForADockerThatDoesNotAnswer() {
        let folder = TemporaryFolder()
        let docker = folder.write(
            "docker",
            """
            #!/bin/sh
            [ "$1" = network ] && exit
            echo "$1" >>\(folder.path)/asked
            exec sleep 1000
            """, permissions: 0o700)
        let run = ContainerRun(
            client: docker, name: "any", service: "db", environment: ["PATH": "/usr/bin:/bin"])
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            let containers = rig.supervisor.workshop.containers
            containers.patience = .seconds(1)
            var told: [String] = []
            rig.supervisor.onContainerWait = { told.append("\($0) \($1.inWords)") }
            containers.prepare(for: run) { _ in
                containers.beginToEnd()
                containers.remove(run) {
                    containers.remove(run) {
                        containers.removeAll {
                            let left = containers.areLeft
                            rig.finish { done("\(told) \(left)") }
                        }
                    }
                }
            }
        }
        #expect(result == #"["docker 1 s"] true"#)
        #expect(folder.read("asked") == "rm\n")
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
