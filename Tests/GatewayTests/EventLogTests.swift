import Control
import Gateway
import Testing

@Suite struct EventLogTests {
    private func event(_ number: Int) -> MeshEvent {
        MeshEvent(time: "t", service: "a", event: "\(number)")
    }

    @Test(arguments: [0, 1, 3, 4, 7, 9])
    func log_anyNumberOfEvents_keepsTheNewestInOrder(_ count: Int) {
        let log = EventLog(capacity: 3)
        for number in 0..<count { log.append(event(number)) }
        #expect(log.recent == (max(0, count - 3)..<count).map(event))
    }

    @Test func follower_hearsEventsUntilItLeaves() {
        let log = EventLog()
        var heard: [String] = []
        log.append(event(0))
        let id = log.follow { heard.append($0.event) }
        log.append(event(1))
        log.append(event(2))
        log.unfollow(id)
        log.append(event(3))
        #expect(heard == ["1", "2"])
        #expect(log.followerCount == 0)
    }
}
