import EventLoop
import Manifest
import Platform
import Supervisor
import TestSupport
import Testing

@Suite struct LaunchTests {
    @Test(arguments: [
        (FaultPlan.Call.pipe, Errno.tooManyOpenFiles, "too many open files; raise the hard limit"),
        (FaultPlan.Call.spawn, Errno.again, "the system allows no further process"),
    ])
    func faultOfTheKernel_isACrashWithItsSentence_andTriedAgain(
        call: FaultPlan.Call, error: Errno, sentence: String
    ) {
        let faults = FaultPlan()
        let result: String? = onLoop(kernel: Kernel(faults: faults)) { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture(["serve", "echo"]))])
            faults.injectNext(call, .fails(error))
            try! rig.supervisor.start("reader") { outcome in
                rig.when({ rig.state("reader") == .ready }) {
                    rig.finish { done("\(outcome)") }
                }
            }
        }
        #expect(result?.contains(sentence) == true, "\(result ?? "nothing")")
    }

    @Test func stringCommand_isItsShellsExec_pidIsTheProgramsOwn() {
        let result: Bool? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([.init(.fixture([]) { $0.run = .shell("\(fixtureProgram) pid serve echo") })])
            try! rig.supervisor.start("reader") { _ in
                rig.when({ rig.text("reader").contains("listening") }) {
                    let same = rig.text("reader").hasPrefix("pid \(rig.pid("reader")!)\n")
                    rig.finish { done(same) }
                }
            }
        }
        #expect(result == true)
    }

    @Test func argvCommand_namesInjectedVariables_getsTheirValues() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture([]) { service in
                        service.run = .argv([fixtureProgram, "say", "on \0PORT\0", "wait"])
                        service.listens = .fixed(4711)
                        service.ready = ReadyProbe(kind: .log("on 4711"))
                    })
            ])
            try! rig.supervisor.start("reader") { outcome in rig.finish { done("\(outcome)") } }
        }
        #expect(result == "done")
    }

    @Test func stdin_isOpenAndSilentUntilTheLeaderEnds() {
        let result: Bool? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.add([
                .init(
                    .fixture(["say", "up", "input"]) { service in
                        service.listens = .nothing
                        service.ready = ReadyProbe(kind: .log("up"))
                    })
            ])
            try! rig.supervisor.start("reader") { _ in
                try! rig.supervisor.stop("reader") { _ in
                    let sawEnd = rig.text("reader").contains("eof")
                    rig.finish { done(sawEnd) }
                }
            }
        }
        #expect(result == false)
    }
}
