import Control
import JSON
import Testing

@Suite struct WireTypeTests {
    /// Writes the value as text, reads it back, and returns the text.
    private func roundTrip<T: WireType>(_ value: T) throws -> String {
        let text = value.json.serialized()
        #expect(try T(json: JSON(parsing: text)) == value)
        return text
    }

    @Test func service_asJSON_isWhatTheContractSays() throws {
        let status = ServiceStatus(
            service: "reader", state: "starting", target: "local", address: "127.0.0.1:20001",
            url: "http://127.0.0.1:20001", reason: "waits for port 10000",
            instances: [
                InstanceStatus(
                    id: "reader.1", pid: 42, port: 10000, state: "starting", started: "2026-11-21T11:14:43.123Z",
                    restarts: 0, cpu: 1.5, rss: 4096)
            ])
        #expect(
            try roundTrip(status)
                == #"{"service":"reader","state":"starting","target":"local","address":"127.0.0.1:20001","#
                + #""url":"http://127.0.0.1:20001","reason":"waits for port 10000","instances":[{"id":"reader.1","#
                + #""pid":42,"port":10000,"state":"starting","started":"2026-11-21T11:14:43.123Z","restarts":0,"#
                + #""cpu":1.5,"rss":4096}],"differs":false,"insecure":false}"#)
    }

    @Test func values_thatAreMissing_areNull() throws {
        let status = ServiceStatus(
            service: "db", state: "ready", target: "remote", address: nil, url: nil, reason: nil,
            instances: [
                InstanceStatus(
                    id: "db.1", pid: nil, port: nil, state: "stopped", started: nil, restarts: 2, cpu: nil, rss: nil)
            ], differs: true)
        let text = try roundTrip(status)
        #expect(text.contains(#""address":null,"url":null,"reason":null"#))
        #expect(text.contains(#""pid":null,"port":null,"state":"stopped","started":null"#))
    }

    @Test func everyOtherType_surviviesTheRoundTrip() throws {
        _ = try roundTrip(
            MeshInfo(
                name: "n", project: "/p", manifest: "/p/services.json", pid: 1, startedAt: "t", version: "0.1",
                gateway: 20000, socket: "/run/s"))
        _ = try roundTrip(StoredLogs(folder: "/p/.devmesh/logs"))
        _ = try roundTrip(PortEntry(service: "m", port: 20100, url: "http://x", edge: "reader", kind: .edge))
        _ = try roundTrip(PortEntry(service: nil, port: 20000, url: nil, edge: nil, kind: .gateway))
        _ = try roundTrip(
            ServiceWhy(service: "a", state: "failed", reason: "r", details: ["d"], lastLines: ["l", "ü\u{1}"]))
        _ = try roundTrip(ServiceEnvironment(env: ["B": "2", "A": "1"], directory: "/d"))
        _ = try roundTrip(MeshEvent(time: "t", service: nil, event: "up", detail: "x", instance: "a.1"))
        _ = try roundTrip(ActionRequest(services: ["a"], wait: false))
        _ = try roundTrip(ActionReport(results: [ActionResult(service: "a", ok: false, reason: "r", output: "o")]))
        _ = try roundTrip(UseRequest.target("next", keep: true))
        _ = try roundTrip(UseRequest.reset)
        _ = try roundTrip(ScaleRequest(instances: 3))
        _ = try roundTrip(FaultChange.clear(caller: nil))
        _ = try roundTrip(FaultChange.clear(caller: "reader"))
        _ = try roundTrip(RouteChange(clear: true))
        _ = try roundTrip(WaitRequest(services: ["a"], condition: .completed, timeout: nil))
        _ = try roundTrip(
            WaitReport(timedOut: true, services: [.init(service: "a", reached: false, state: "s", reason: nil)]))
        _ = try roundTrip(UpRequest(services: nil, local: ["a"], env: ["X": "y"], wait: true))
        _ = try roundTrip(UpReport(started: ["a"], failed: [ActionResult(service: "b", ok: false)], selected: ["a"]))
        _ = try roundTrip(DownReport(stopped: 3))
    }

    @Test func environment_inJSON_isSorted() {
        let environment = ServiceEnvironment(env: ["C": "3", "A": "1", "B": "2"], directory: "/")
        #expect(environment.json.serialized() == #"{"env":{"A":"1","B":"2","C":"3"},"directory":"/"}"#)
    }

    @Test(arguments: [
        (#"[]"#, "expected a JSON object"), (#"{}"#, "\"services\" is missing; expected an array of strings"),
        (#"{"services":[]}"#, "\"services\": expected at least one name"),
        (#"{"services":"a"}"#, "\"services\": expected an array of strings"),
        (#"{"services":["a",1]}"#, "\"services\": expected an array of strings"),
        (#"{"services":["a"],"wait":1}"#, "\"wait\": expected true or false"),
        (#"{"services":["a"],"Wait":true}"#, "\"Wait\" is not known here; expected services, wait"),
    ])
    func request_malformed_namesTheMember(_ text: String, _ reason: String) throws {
        let json = try JSON(parsing: text)
        #expect(throws: WireProblem(reason)) { try ActionRequest(json: json) }
    }

    @Test(arguments: ["{}", #"{"target":"a","reset":true}"#, #"{"reset":false}"#])
    func use_neitherTargetNorReset_isRefused(_ text: String) throws {
        let json = try JSON(parsing: text)
        #expect(throws: WireProblem.self) { try UseRequest(json: json) }
    }

    @Test func request_withDefaults_waits() throws {
        #expect(try ActionRequest(json: ["services": ["a"]]) == ActionRequest(services: ["a"], wait: true))
        #expect(
            try WaitRequest(json: ["services": ["a"]])
                == WaitRequest(services: ["a"], condition: .ready, timeout: nil))
        #expect(throws: WireProblem.self) { try WaitRequest(json: ["services": ["a"], "for": "done"]) }
        #expect(throws: WireProblem.self) { try ScaleRequest(json: ["instances": 0]) }
    }

    @Test func answer_withNewMembers_isRead() throws {
        #expect(try DownReport(json: ["stopped": 1, "novelty": true]) == DownReport(stopped: 1))
    }
}
