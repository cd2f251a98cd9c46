import JSON
import Platform
import TestSupport
import Testing

// Git refs as targets: a worktree of devmesh's own, from nothing to serving, and away again.

private let services = """
    {"web": {"directory": "site", "build": "cp look built", "run": "cat built && exec fixture serve http",
             "ready": {"http": "/healthz"}}}
    """

extension MeshFixture {
    /// Makes a repository of the project's folder: `site/look` says "one" on main, "two" on feature/x, and differs from
    /// both in the checkout.
    fileprivate func makeRepository() throws {
        folder.write("site/look", "one\n")
        try git("init -q -b main . && git add -A && git commit -qm one")
        folder.write("site/look", "two\n")
        try git("checkout -qb feature/x && git commit -qam two && git checkout -q main")
        folder.write("site/look", "mine\n")
    }

    @discardableResult
    fileprivate func git(_ words: String) throws -> String {
        let settings = ["user.name=ada", "user.email=ada@localhost"].enumerated().map { index, setting in
            let parts = setting.split(separator: "=")
            return "GIT_CONFIG_KEY_\(index)=\(parts[0]) GIT_CONFIG_VALUE_\(index)=\(parts[1])"
        }
        let result = try shell("export GIT_CONFIG_COUNT=2 \(settings.joined(separator: " ")); git \(words)")
        guard result.code == 0 else { throw MeshFailure("git \(words): \(result)") }
        return result.output
    }

    /// What git and the disk know of worktrees besides the checkout itself.
    fileprivate func worktrees() throws -> [String] {
        let listed = try git("worktree list --porcelain").split(separator: "\n").filter { $0.hasPrefix("worktree ") }
        let folder = folder.path + "/.devmesh/services.json/worktrees"
        let found = (try? Kernel.real.list(folder)) ?? []
        #expect(listed.count == found.count + 1, "\(listed) and \(found)")
        return found
    }

    fileprivate func looks(_ unit: String) throws -> [String] {
        try logs(unit).filter { $0["stream"] == "stdout" && $0["service"]?.stringValue == unit }.compactMap {
            $0["line"]?.stringValue
        }
        .filter { !$0.hasPrefix("listening") }
    }
}

@Test func use_gitRef_fromNothingToServing_andDownTakesItAway() throws {
    try withMesh(services) { mesh in
        try mesh.makeRepository()
        let status = try mesh.git("status --porcelain -- site/look && git rev-parse HEAD")
        try mesh.up()
        try mesh.ready("web")
        let load = try Load(port: mesh.port("web"))
        for (ref, look) in [("main", "one"), ("feature/x", "two")] {
            try mesh.devmesh("use", "web", ref, code: 0)
            #expect(try mesh.isServed(by: "web@\(ref).1"))
            #expect(try mesh.looks("web@\(ref)") == [look])
            #expect(try mesh.ps("web")["target"]?.stringValue == ref)
        }
        #expect(try mesh.worktrees() == ["web@feature%2Fx", "web@main"])
        let env = try mesh.devmesh("exec", "web", "--", "cat", "look", code: 0)
        #expect(env.output == "two\n")
        try mesh.devmesh("use", "web", "--reset", code: 0)
        #expect(try mesh.looks("web") == ["mine"])
        let answers = try load.stop()
        #expect(answers.allSatisfy { $0.hasPrefix("200 ") }, "\(answers.filter { !$0.hasPrefix("200 ") })")

        try mesh.devmesh("down", code: 0)
        #expect(try mesh.worktrees() == [])
        #expect(try mesh.git("status --porcelain -- site/look && git rev-parse HEAD") == status)
    }
}

@Test func worktree_ofARefThatIsNotUsed_isTakenAway() throws {
    try withMesh(services) { mesh in
        try mesh.makeRepository()
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("use", "web", "main", code: 0)
        try mesh.devmesh("use", "web", "local", code: 0)
        #expect(try mesh.worktrees() == ["web@main"])
        let events = try mesh.start("events", "-f", "--json")
        try mesh.devmesh("stop", "web@main", code: 0)
        try events.output.wait(for: #""service":"web@main","event":"worktree-removed""#)
        #expect(try mesh.worktrees() == [])
        #expect(try mesh.devmesh("why", "web@main", code: 1).errors.contains("There is no service web@main"))
    }
}

@Test func gitVersion_followsItsRefWithEachBuild() throws {
    try withMesh(
        services.replacing(
            "\"ready\"", with: "\"target\": \"old\", \"versions\": {\"old\": {\"git\": \"main\"}}, \"ready\"")
    ) { mesh in
        try mesh.makeRepository()
        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.isServed(by: "web@old.1"))
        try mesh.git("update-ref refs/heads/main feature/x")
        try mesh.devmesh("restart", "web", code: 0)
        #expect(try mesh.looks("web@old") == ["one", "two"])
        #expect(try mesh.worktrees() == ["web@old"])
    }
}

@Test func worktreesThatACrashLeft_areMadeAnew() throws {
    try withMesh(services) { mesh in
        try mesh.makeRepository()
        let up = try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("use", "web", "main", code: 0)
        try mesh.devmesh("use", "web", "feature/x", code: 0)
        up.signal(.kill)
        _ = try up.exit()
        for entry in mesh.servants() where mesh.isInAMesh(entry.pid) { ProcessTable.signal(entry, .kill) }
        mesh.folder.write(".devmesh/services.json/worktrees/web@feature%2Fx/site/look", "damaged\n")
        mesh.folder.write(".devmesh/services.json/worktrees/torn/half", "")

        try mesh.up()
        try mesh.ready("web")
        #expect(try mesh.isServed(by: "web@feature/x.1"))
        #expect(try mesh.looks("web@feature/x") == ["two", "two"])
        try mesh.devmesh("down", code: 0)
        #expect(try mesh.worktrees() == [])
    }
}

@Test func worktreeThatIsDeletedUnderneath_isMadeAnewAndForgotten() throws {
    try withMesh(services) { mesh in
        try mesh.makeRepository()
        try mesh.up()
        try mesh.ready("web")
        try mesh.devmesh("use", "web", "main", code: 0)
        let worktree = mesh.folder.path + "/.devmesh/services.json/worktrees/web@main"
        Kernel.real.removeTree(worktree)
        try mesh.devmesh("restart", "web", code: 0)
        #expect(try mesh.isServed(by: "web@main.1") && mesh.worktrees() == ["web@main"])
        Kernel.real.removeTree(worktree)
        try mesh.devmesh("down", code: 0)
        #expect(try mesh.worktrees() == [])
    }
}

@Test func gitRef_thatCannotBeUsed_isRefusedWithItsReason() throws {
    try withMesh(services) { mesh in
        mesh.folder.write("site/look", "mine\n")
        try mesh.up()
        try mesh.ready("web")
        let none = try mesh.devmesh("use", "web", "main", code: 1)
        #expect(none.errors.contains("main is no git ref that could be checked out (it is in no git repository)"))
        try mesh.makeRepository()
        let unknown = try mesh.devmesh("use", "web", "maim", code: 1)
        #expect(unknown.errors.contains("has no ref maim; `git branch -a` there lists branches"))
        mesh.folder.write(".git/HEAD", "damaged\n")
        let damaged = try mesh.devmesh("use", "web", "main", code: 1)
        #expect(damaged.errors.contains("git can't look into") && damaged.errors.contains("status` says why"))
        mesh.folder.write(".git/HEAD", "ref: refs/heads/main\n")
        let option = try mesh.devmesh("use", "web", "--", "--all", code: 1)
        #expect(option.errors.contains("--all is no git ref"))
        try mesh.git("rm -rq --cached site && git commit -qm empty && git branch empty && git reset -q --soft HEAD^")
        let empty = try mesh.devmesh("use", "web", "empty", code: 1)
        #expect(empty.errors.contains("there is no folder site in empty"))
        try mesh.devmesh("down", code: 0)

        try mesh.up(environment: ["PATH": Path.parent(fixtureProgram)])
        let missing = try mesh.devmesh("use", "web", "main", code: 1)
        #expect(missing.errors.contains("there is no program git on its PATH; install it"))
        #expect(try mesh.worktrees() == [])
    }
}
