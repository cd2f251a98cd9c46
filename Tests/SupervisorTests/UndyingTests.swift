import EventLoop
import Manifest
import Platform
import TestSupport
import Testing

@testable import Supervisor

/// The stand-in for a process that hangs in the kernel: one whose signals don't arrive.
@Suite struct UndyingTests {
    @Test(arguments: [["ignore", "TERM", "wait"], ["setsid", "exit", "0"]])
    func stopAll_ofWhatSIGKILLDoesNotEnd_isDoneAndNamesIt(verbs: [String]) {
        let plan = FaultPlan()
        let result: String? = onLoop(kernel: Kernel(faults: plan)) { loop, done in
            let rig = Rig(loop)
            rig.supervisor.workshop.patience = .milliseconds(200)
            rig.supervisor.add([
                .init(
                    .fixture(verbs) { service in
                        service.listens = .nothing
                        service.stop.timeout = .milliseconds(50)
                    })
            ])
            try! rig.supervisor.start("reader")
            rig.when({ !rig.happenings.isEmpty }) {
                plan.injectNext(.kill, times: 1_000_000, .fails(.notPermitted))
                rig.supervisor.stopAll {
                    let undying = rig.supervisor.undying
                    plan.clear()
                    let living = undying.filter { exists($0.pid) }
                    for entry in undying { ProcessTable.signal(entry, .kill) }
                    rig.finish { done("\(undying.count) \(living.count)") }
                }
            }
        }
        #expect(result == "1 1")
    }

    /// As on a network disk that is gone.
    @Test(arguments: [false, true]) func stop_whileTheSystemExecutesTheProgram_doesNotWaitForThat(isKill: Bool) {
        let folder = TemporaryFolder()
        folder.write("program", "#!/bin/sh\n")
        let program = folder.path + "/program"
        try! Kernel.real.setPermissions(program, 0o700)
        let result: Bool? = onLoop { loop, done in
            let rig = Rig(loop)
            let said = try! Kernel.real.pipe()
            let complained = try! Kernel.real.pipe()
            let request = SpawnRequest(
                path: fixtureProgram, arguments: ["fixture", "hold", program], environment: [:], directory: "/")
            let holder = try! ChildTable.spawn(request, stdout: said.writer.raw, stderr: complained.writer.raw)
            said.writer.close()
            complained.writer.close()
            rig.attach(
                OutputSource(service: "holder", instance: nil, generation: 1), stdout: said.reader,
                stderr: complained.reader)
            rig.when({ rig.text("holder").contains("held") }) {
                var service = Service(name: "reader", directory: "/", run: .argv([program]))
                service.listens = .nothing
                service.stop.timeout = .milliseconds(50)
                rig.supervisor.add([.init(service)])
                try! rig.supervisor.start("reader")
            }
            rig.when({ rig.text("holder").contains("asked") }) {
                let began = Instant.now
                let ended = {
                    let isQuick = Instant.now - began < patience(.seconds(10))
                    ChildTable.signal(holder, .kill, group: false)
                    _ = ChildTable.wait(holder)
                    rig.finish { done(isQuick) }
                }
                if isKill { rig.supervisor.killAll(ended) } else { try! rig.supervisor.stop("reader") { _ in ended() } }
            }
        }
        #expect(result == true)
    }

    @Test func stopAll_ofWhatDies_namesNothing() {
        let result: String? = onLoop { loop, done in
            let rig = Rig(loop)
            rig.supervisor.workshop.patience = .milliseconds(10)
            rig.supervisor.add([
                .init(.fixture(["trap", "TERM", "300", "0", "wait"]) { $0.listens = .nothing })
            ])
            try! rig.supervisor.start("reader")
            rig.when({ !rig.happenings.isEmpty }) {
                rig.supervisor.stopAll {
                    let undying = rig.supervisor.undying.count
                    rig.finish { done("\(undying)") }
                }
            }
        }
        #expect(result == "0")
    }
}
