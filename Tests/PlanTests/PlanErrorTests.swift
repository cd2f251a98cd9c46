import Plan
import Testing

/// The sentences that no other test reads word for word.
@Suite struct PlanErrorTests {
    @Test func noSpace_saysWhereItLookedAndWhatToDo() {
        #expect(
            PlanError.noSpace(limit: 32_768).description
                == "No block of 200 free ports is left between 20000 and 32768. Remove manifests that are no longer "
                + "needed, or choose a block with \"ports\": {\"first\": …}.")
    }

    @Test func portOfTheSystem_isAnsweredByAHigherOne() {
        let front = ListeningPort(port: 80, role: .front(service: "web", isPinned: true))
        #expect(
            PlanError.portsHeld([.init(listener: front, holder: .system)]).description
                == "Port 80, the front of web, is held by the system, which keeps it for privileged programs. "
                + "Choose a port from 1024 upwards.")
    }
}
