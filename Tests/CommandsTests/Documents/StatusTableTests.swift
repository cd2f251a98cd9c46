import Control
import Platform
import Testing

@testable import Commands

struct StatusTableTests {
    static let now = WallTime(microseconds: 1_800_000_000_000_000)
    static let services = [
        ServiceStatus(
            service: "reader", state: "ready", target: "local", address: "127.0.0.1:20001",
            url: "http://127.0.0.1:20001", reason: nil,
            instances: [
                instance("reader.1", pid: 812, secondsAgo: 7320, restarts: 2),
                instance("reader.2", pid: 813, secondsAgo: 200, restarts: 0),
            ]),
        ServiceStatus(
            service: "members", state: "ready", target: "remote", address: "127.0.0.1:20002",
            url: "http://127.0.0.1:20002", reason: nil, instances: [], differs: true),
        ServiceStatus(
            service: "worker", state: "failed", target: "local", address: nil, url: nil,
            reason: "exit code 1;\nnext try in 4 s",
            instances: [
                InstanceStatus(
                    id: "worker.1", pid: nil, port: nil, state: "failed", started: nil, restarts: 0, cpu: nil, rss: nil)
            ]),
    ]

    static func instance(_ id: String, pid: Int, secondsAgo: Int64, restarts: Int) -> InstanceStatus {
        InstanceStatus(
            id: id, pid: pid, port: 10001, state: "ready",
            started: WallTime(microseconds: now.microseconds - secondsAgo * 1_000_000).rfc3339(), restarts: restarts,
            cpu: 1.25, rss: 5 << 20)
    }

    static func lines(width: Int?) -> String {
        StatusTable(services: services, now: now).table.lines(width: width, colours: false).joined(separator: "\n")
    }

    @Test func table_wide_showsEverything() {
        let expected = """
            SERVICE  STATE   TARGET   ADDRESS             PID  UPTIME  RESTARTS   CPU   MEM  WHY
            reader   ready   local    127.0.0.1:20001  812 +1  3m 20s         2  2.5%  10MB
            members  ready   remote*  127.0.0.1:20002
            worker   failed  local                                                           exit code 1;\\nnext try in 4 s
            """
        #expect(Self.lines(width: nil) == expected)
    }

    @Test func table_narrow_dropsWhatMattersLeast() {
        let expected = """
            SERVICE  STATE   TARGET   ADDRESS          WHY
            reader   ready   local    127.0.0.1:20001
            members  ready   remote*  127.0.0.1:20002
            worker   failed  local                     exit code 1;\\nne…
            """
        #expect(Self.lines(width: 60) == expected)
    }

    @Test(arguments: [30, 40, 50, 60, 70, 80, 100, 120]) func table_anyTerminal_neverWraps(width: Int) {
        for line in Self.lines(width: width).split(separator: "\n") {
            #expect(DisplayWidth.of(String(line)) <= width)
        }
    }

    @Test func footnote_onlyWhereSomethingDiffers() {
        #expect(
            StatusTable(services: Self.services, now: Self.now).footnote
                == "* differs from the manifest; `devmesh use SERVICE --reset`, `scale`, `route --clear` or `fault --clear` "
                + "change it back.")
        #expect(StatusTable(services: [Self.services[0]], now: Self.now).footnote == nil)
        var insecure = Self.services[1]
        insecure.isInsecure = true
        let table = StatusTable(services: [insecure], now: Self.now)
        #expect(
            table.footnote?.hasSuffix(
                "\n! its certificate is not verified (\"insecure\" in the \"tls\" of its remote).") == true)
        #expect(table.table.lines(width: nil, colours: false).last?.contains("remote!*") == true)
    }

    @Test func state_someInstancesReady_areCounted() {
        var service = Self.services[0]
        service.instances[1].state = "starting"
        let lines = StatusTable(services: [service], now: Self.now).table.lines(width: nil, colours: false)
        #expect(lines[1].contains("ready 1/2"))
    }
}
