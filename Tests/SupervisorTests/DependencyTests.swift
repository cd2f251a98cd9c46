import EventLoop
import Manifest
import Platform
import Supervisor
import TestSupport
import Testing

@Suite struct DependencyTests {
    private static func entry(
        _ name: String, _ verbs: [String], on dependencies: [(String, Dependency.Condition)] = [],
        _ change: (inout Service) -> Void = { _ in }
    ) -> Supervisor.Entry {
        .init(
            .fixture(verbs, name: name) { service in
                service.dependsOn = dependencies.map { Dependency(service: $0.0, condition: $0.1) }
                change(&service)
            })
    }

    @Test func start_bringsUpItsClosureInOrder() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("web", ["serve", "echo"], on: [("API", .ready)]),
                Self.entry("api", ["serve", "echo"], on: [("migrate", .completed), ("db", .started)]),
                Self.entry("migrate", ["exit", "0"], on: [("db", .ready)]) { $0.oneShot = true },
                Self.entry("db", ["sleep", "20", "serve", "echo"]),
                Self.entry("other", ["serve", "echo"]),
            ])
            try! rig.supervisor.start("web") { outcome in
                let started = rig.happenings.compactMap { item in
                    if case .started = item.what { item.service } else { nil }
                }
                let states = ["web", "api", "migrate", "db", "other"].map { "\(rig.state($0)!)" }
                rig.finish { done("\(outcome) \(started) \(states)") }
            }
        }
        #expect(
            result
                == "done [\"db\", \"migrate\", \"api\", \"web\"] "
                + "[\"ready\", \"ready\", \"completed\", \"ready\", \"stopped\"]")
    }

    @Test func dependencyFails_dependentFailsWithItsReasonAndStillWaits() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("db", ["exit", "1"]) { $0.restart = .never },
                Self.entry("api", ["serve", "echo"], on: [("db", .ready)]),
                Self.entry("web", ["serve", "echo"], on: [("api", .ready)]),
            ])
            try! rig.supervisor.start("web") { outcome in
                let state = rig.state("web")!
                rig.finish { done("\(outcome) \(state)") }
            }
        }
        #expect(
            result
                == "failed(\"it waits for api to be ready; api is pending: it waits for db to be ready; "
                + "db is failed: it exited with status 1 before it was ready\") pending")
    }

    @Test func versionThatStandsForAService_isWhatItsDependentsLookAt() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("db", ["exit", "1"]) { $0.restart = .never },
                Self.entry("db@next", ["serve", "echo"]),
                Self.entry("web", ["serve", "echo"], on: [("DB", .ready)]),
            ])
            rig.supervisor.stand("db@next", for: "db")
            try! rig.supervisor.start("web") { outcome in
                let states = ["web", "db@next", "db"].map { "\(rig.state($0)!)" }
                rig.supervisor.stand(nil, for: "db")
                let why = rig.supervisor.dependencies(
                    of: Service(
                        name: "web", directory: "/", dependsOn: [Dependency(service: "db", condition: .ready)]))
                rig.supervisor.stopAll {
                    rig.finish { done("\(outcome) \(states) \(why.map { "\($0.service) \($0.isMet)" })") }
                }
            }
        }
        #expect(result == "done [\"ready\", \"ready\", \"stopped\"] [\"db false\"]")
    }

    @Test func stopAll_endsVersionsAfterWhatDependsOnTheirService() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("db", ["wait"]), Self.entry("db@next", ["serve", "echo"]),
                Self.entry("web", ["trap", "TERM", "50", "0", "serve", "echo"], on: [("db", .ready)]),
            ])
            rig.supervisor.stand("db@next", for: "db")
            try! rig.supervisor.start("web") { _ in
                rig.supervisor.stopAll {
                    let exits = rig.happenings.compactMap { item in
                        if case .exited = item.what { item.service } else { nil }
                    }
                    rig.finish { done("\(exits)") }
                }
            }
        }
        #expect(result == "[\"web\", \"db@next\"]")
    }

    @Test func dependencyStarted_isEnoughWhileItIsNotReady() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("db", ["wait"]),
                Self.entry("api", ["serve", "echo"], on: [("db", .started)]),
            ])
            try! rig.supervisor.start("api") { outcome in
                let db = rig.state("db")!
                rig.finish { done("\(outcome) \(db)") }
            }
        }
        #expect(result == "done starting")
    }

    @Test func restartOfADependency_leavesDependentsAlone() {
        let result: Bool? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("db", ["serve", "echo"]),
                Self.entry("api", ["serve", "echo"], on: [("db", .ready)]),
            ])
            try! rig.supervisor.start("api") { _ in
                let pid = rig.pid("api")
                try! rig.supervisor.restart("db") { _ in
                    let same = rig.pid("api") == pid && rig.state("api") == .ready
                    rig.finish { done(same) }
                }
            }
        }
        #expect(result == true)
    }

    @Test func cycle_callerThatTheTargetWaitsFor_isNamed() {
        let result: [String?]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("db", ["wait"]),
                Self.entry("api", ["serve", "echo"], on: [("db", .ready)]),
                Self.entry("web", ["serve", "echo"], on: [("api", .ready)]),
            ])
            try! rig.supervisor.start("web")
            let answers = [
                rig.supervisor.cycle(caller: "db", target: "web"), rig.supervisor.cycle(caller: "web", target: "db"),
            ]
            rig.finish { done(answers) }
        }
        #expect(result?[0] == "db calls web, which waits for db itself: db → web → api → db")
        #expect(result?[1] == nil)
    }

    @Test func unknownService_saysSo() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            do throws(SupervisorError) {
                try rig.supervisor.start("raeder")
            } catch {
                let text = "\(error)"
                rig.finish { done(text) }
            }
        }
        #expect(result == "there is no service raeder in this mesh; `devmesh ps` lists them")
    }

    @Test func apply_touchesOnlyWhatChanged() {
        let result: [Bool]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("a", ["serve", "echo"]), Self.entry("b", ["serve", "echo"]),
                Self.entry("c", ["serve", "echo"]),
            ])
            try! rig.supervisor.start(["a", "b", "c"])
            rig.when({ ["a", "b", "c"].allSatisfy { rig.state($0) == .ready } }) {
                let before = [rig.pid("a"), rig.pid("b")]
                let gone = rig.pid("c")!
                rig.supervisor.apply(
                    added: [Self.entry("d", ["serve", "echo"])],
                    changed: [Self.entry("b", ["say", "changed", "serve", "echo"])], removed: ["c"]
                ) { outcomes in
                    let same = [rig.pid("a") == before[0], rig.pid("b") == before[1]]
                    let isDone = outcomes == ["b": .done, "c": .done]
                    rig.when({ rig.text("b").contains("changed") && rig.supervisor.names == ["a", "b", "d"] }) {
                        rig.finish { done(same + [isDone, exists(gone)]) }
                    }
                    rig.check()
                }
            }
        }
        #expect(result == [true, false, true, false])
    }

    @Test func scale_givesEachItsOwnPort() {
        let result: [Int]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([Self.entry("reader", ["serve", "echo"])])
            try! rig.supervisor.start("reader") { _ in
                try! rig.supervisor.scale("reader", to: 3) { _ in
                    let ports = Set(rig.supervisor.status("reader")!.instances.compactMap(\.port)).count
                    try! rig.supervisor.scale("reader", to: 1) { _ in
                        let left = rig.supervisor.status("reader")!.instances.count
                        rig.finish { done([ports, left]) }
                    }
                }
            }
        }
        #expect(result == [3, 1])
    }

    @Test func scale_ofAFixedPort_isRefused() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([Self.entry("reader", ["serve", "echo"]) { $0.listens = .fixed(8080) }])
            do throws(SupervisorError) {
                try rig.supervisor.scale("reader", to: 2)
            } catch {
                let text = "\(error)"
                rig.finish { done(text) }
            }
        }
        #expect(result?.contains("its program insists on port 8080") == true)
    }

    @Test func buildLeavesAServerBehind_itEndsWithTheMesh() {
        let result: [Bool]? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                Self.entry("reader", ["serve", "echo"]) { $0.build = .argv([fixtureProgram, "daemon"]) }
            ])
            try! rig.supervisor.start("reader") { outcome in
                rig.when({ rig.text("reader").contains("daemon") }) {
                    let pid = rig.pids("reader").first!
                    let lives = exists(pid)
                    rig.finish { done([outcome == .done, lives, exists(pid)]) }
                }
            }
        }
        #expect(result == [true, true, false])
    }
}
