import Control
import Testing

@testable import Commands

struct TextTests {
    @Test func why_tellsStateDetailsAndLastLines() {
        let why = ServiceWhy(
            service: "db", state: "failed", reason: "exit code 1", details: ["next try in 4 s"],
            lastLines: ["no space", "bye\u{1B}[2J"])
        #expect(
            WhyText.lines(why, colours: false) == [
                "db is failed", "  exit code 1", "  next try in 4 s", "", "Its last lines:", "  | no space",
                "  | bye\\x1b[2J",
            ])
    }

    @Test func event_lineOfService_hasTimeOfDay() {
        let event = MeshEvent(
            time: "2026-11-21T09:30:00.250Z", service: "reader", event: "ready", detail: "after 12 ms",
            instance: "reader.1")
        #expect(EventText.line(event, colours: false) == "09:30:00.250  reader.1      ready  after 12 ms")
    }

    @Test func event_lineOfMesh_saysMesh() {
        let event = MeshEvent(time: "2026-11-21T09:30:00.250Z", service: nil, event: "up")
        #expect(EventText.line(event, colours: false) == "09:30:00.250  mesh          up")
    }
}
