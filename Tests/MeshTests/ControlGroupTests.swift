import Platform
import TestSupport
import Testing

// Where the tests may make control groups; `Tests/real` makes such a place.

/// A daemon that has got rid of its session, its parent, its environment and its tag.
private let escaping = """
    {"web": {"run": "setsid -f env -i prlimit --locks=5:5 sleep 9999; exec fixture serve http"}}
    """

/// Nothing but its control group tells whose it is.
@Test(.enabled(if: ControlGroup.delegated() != nil), arguments: ["up", "down"])
func crash_allKilled_whatHasEscapedAllElse_isEndedByItsGroup(_ next: String) throws {
    try withMesh(escaping) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        let group = try #require(mesh.controlGroup())
        let supervisor = try mesh.supervisor()
        #expect(Set(group.members()) == Set([supervisor.pid] + supervisor.below.map(\.pid)))
        #expect(try !group.members().contains(mesh.guardian().pid) && !group.members().contains(up.pid))
        let daemon = try #require(
            supervisor.below.first { $0.parent == supervisor.pid && ProcessTable.tag(of: $0.pid) == 5 })
        let left = try mesh.killAtOnce(up)
        #expect(left.contains(daemon))
        let said = next == "up" ? try mesh.up().errors.text : try mesh.devmesh("down", code: 0).errors
        #expect(left.filter(\.isAlive) == [])
        #expect(said.contains("sleep (pid \(daemon.pid))"))
        #expect(!group.exists)
    }
}

@Test(.enabled(if: ControlGroup.delegated() != nil), arguments: ["down", "supervisor", "guardian", "first"])
func controlGroup_goesWithTheMesh_howeverThatEnds(_ victim: String) throws {
    try withMesh(escaping) { mesh in
        let up = try mesh.up()
        try mesh.ready("web")
        let group = try #require(mesh.controlGroup())
        let below = try mesh.supervisor().below
        #expect(below.count >= 2)
        // What a program makes in it goes as well.
        #expect(try mesh.shell("mkdir -p \(group.folder)/one/two").code == 0)
        switch victim {
        case "supervisor": ProcessTable.signal(try mesh.supervisor(), .kill)
        case "guardian": ProcessTable.signal(try mesh.guardian(), .kill)
        case "first": up.signal(.kill)
        default: try mesh.devmesh("down", code: 0)
        }
        _ = try up.exit()
        try mesh.waitForEnd()
        #expect(below.filter(\.isAlive) == [])
        #expect(!group.exists)
    }
}

/// It is another one each moment: by the time that somebody has looked, who is to be killed has gone.
@Test(.enabled(if: ControlGroup.delegated() != nil), arguments: ["supervisor", "all"])
func crash_whatFleesFasterThanAnybodyLooks_isEndedAtOneBlow(_ victim: String) throws {
    let flight = "i=0; while [ $i -lt 10 ]; do setsid -f sh flight; i=$((i+1)); done; exec fixture serve http"
    try withMesh("{\"web\": {\"run\": \"\(flight)\"}}") { mesh in
        mesh.folder.write("flight", "sleep 0.01; setsid -f sh flight\n")
        let up = try mesh.up()
        try mesh.ready("web")
        let group = try #require(mesh.controlGroup())
        if victim == "all" {
            try mesh.killAtOnce(up)
            try mesh.devmesh("down", code: 0)
        } else {
            ProcessTable.signal(try mesh.supervisor(), .kill)
            #expect(try up.exit() == .exited(1))
        }
        #expect(!group.exists && group.members() == [])
    }
}
