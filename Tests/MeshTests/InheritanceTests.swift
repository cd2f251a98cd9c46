import Platform
import TestSupport
import Testing

// What devmesh makes of what whoever starts it has left it: signals, descriptors, a system that refuses calls.

private let web = #"{"web": {"run": "fixture serve http"}}"#

extension MeshFixture {
    /// `devmesh` by way of verbs of `fixture`, which it inherits from.
    fileprivate func start(behind verbs: [String], devmesh words: String...) throws -> MeshProgram {
        try start(program: fixtureProgram, ["fixture"] + verbs + ["exec", "devmesh"] + words)
    }
}

/// As nohup(1) asks for.
@Test func inherited_ignoredHangup_staysIgnored() throws {
    try withMesh(web) { mesh in
        let up = try mesh.start(behind: ["ignore", "HUP"], devmesh: "up")
        try up.errors.wait(for: "is up")
        up.signal(.hangup, group: true)
        // Were it on its way down, it would refuse.
        try mesh.devmesh("restart", "web", code: 0)
        #expect(up.isRunning)
        up.signal(.terminate)
        #expect(try up.exit() == .exited(0))
    }
}

/// A shell without job control has what it leaves in the background ignore ^C, which is no reason to be deaf to `kill`.
@Test func inherited_ignoredInterrupt_isHeard() throws {
    try withMesh(web) { mesh in
        let up = try mesh.start(behind: ["ignore", "INT"], devmesh: "up")
        try up.errors.wait(for: "is up")
        up.signal(.interrupt)
        #expect(try up.exit() == .exited(0))
    }
}

/// Else the kernel reaps, and nobody learns how a child has ended.
@Test func inherited_ignoredEndOfChildren_isNot() throws {
    try withMesh(#"{"web": {"run": "fixture serve http", "build": "exit 3"}}"#) { mesh in
        let build = try mesh.start(behind: ["ignore", "CHLD"], devmesh: "build", "web").result()
        #expect(build.code == 1)
    }
}

/// What is opened first would be taken for standard output.
@Test func inherited_closedStreams_areNobodyElses() throws {
    try withMesh(web) { mesh in
        _ = try mesh.start(program: "/bin/sh", ["sh", "-c", "exec devmesh up <&- >&- 2>&-"])
        #expect(try mesh.shell("until devmesh ps; do :; done 2>&-").code == 0)
        try mesh.ready("web")
        let descriptors = "/proc/\(try mesh.supervisor().pid)/fd"
        for stream in 0...2 {
            #expect(try Kernel.real.realPath("\(descriptors)/\(stream)") == "/dev/null")
        }
        #expect(mesh.folder.read(".devmesh/services.json/life.lock") == "")
    }
}

/// Containers before Linux 5.9 refuse what gives a child a table of descriptors of its own; many have no clone3(2), which
/// makes a process in a control group.
@Test(arguments: [["close_range"], ["unshare"], ["close_range", "unshare"], ["clone3"]])
func inherited_refusedCalls_programsStartAllTheSame(_ calls: [String]) throws {
    try withMesh(web) { mesh in
        let up = try mesh.start(behind: calls.flatMap { ["refuse", $0] }, devmesh: "up")
        try up.errors.wait(for: "is up")
        try mesh.ready("web")
        let descriptors = try Kernel.real.list("/proc/\(try mesh.pids("web")[0])/fd")
        // Its three, and the one that it listens on.
        #expect(descriptors.count == 4)
        guard calls == ["clone3"] else { return }
        #expect(mesh.controlGroup() == nil)
        let project = try #require(try Kernel.real.list(mesh.folder.path + "/run/devmesh").first)
        let groups = try ControlGroup.delegated().map(Kernel.real.list) ?? []
        #expect(!groups.contains { $0.hasPrefix("devmesh-\(project)") })
        #expect(try mesh.get("web").status == 200)
    }
}
