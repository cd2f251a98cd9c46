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
        #expect(try mesh.devmesh("why", "web@main", code: 1).errors.contains("There is no service \"web@main\""))
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

/// `lib` is a repository in the project's, and `deep` one in that; each is checked out where the ref names it.
@Test func gitRef_withSubmodules_getsThem_andLosesThemWithItsWorktree() throws {
    let allowed = [
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
    ]
    try withMesh(services.replacing("cp look built", with: "cat look lib/word lib/deep/word > built")) { mesh in
        let elsewhere = TemporaryFolder()
        let origins = elsewhere.path
        let commit = "git add -A && git -c user.name=ada -c user.email=ada@localhost commit -qm"
        let add = "git -c protocol.file.allow=always submodule --quiet add"
        let made = try mesh.shell(
            """
            set -e
            for name in deep lib; do git init -q -b main '\(origins)'/$name; done
            (cd '\(origins)/deep'; echo abyss > word; \(commit) one)
            (cd '\(origins)/lib'; echo shelf > word; \(add) '\(origins)/deep' deep; \(commit) one)
            """)
        #expect(made.code == 0, "\(made)")
        try mesh.makeRepository()
        let added = try mesh.shell(
            """
            set -e
            echo home/ >> .git/info/exclude
            git checkout -q -f feature/x
            \(add) '\(origins)/lib' site/lib
            \(commit) three
            git submodule --quiet deinit -f --all; git checkout -q -f main
            """)
        #expect(added.code == 0, "\(added)")
        try mesh.up("web", environment: allowed)
        let none = try mesh.devmesh("use", "web", "main", code: 1)
        #expect(none.errors.contains("lib/word") || none.errors.contains("the build of web@main failed"), "\(none)")
        try mesh.devmesh("use", "web", "feature/x", code: 0)
        #expect(try mesh.looks("web@feature/x") == ["two", "shelf", "abyss"])

        // The next build follows what the ref names by then, in the submodules as well.
        let moved = try mesh.shell(
            """
            set -e
            (cd '\(origins)/lib'; echo board > word; \(commit) two)
            git worktree add -q -f '\(origins)/other' feature/x --detach; cd '\(origins)/other'
            git -c protocol.file.allow=always submodule --quiet update --init
            (cd site/lib; git -c protocol.file.allow=always pull -q origin main)
            \(commit) four; git update-ref refs/heads/feature/x HEAD
            git worktree remove -f -f .
            """)
        #expect(moved.code == 0, "\(moved)")
        try mesh.devmesh("restart", "web", code: 0)
        #expect(try mesh.looks("web@feature/x").suffix(3) == ["two", "board", "abyss"])
        try mesh.devmesh("down", code: 0)
        #expect(try mesh.worktrees() == [])
    }
}

@Test func gitRef_whoseSubmodulesCannotBeHad_saysWhy() throws {
    try withMesh(services) { mesh in
        try mesh.makeRepository()
        let made = try mesh.shell(
            """
            set -e
            echo home/ >> .git/info/exclude
            git checkout -q -f feature/x
            printf '[submodule "lib"]\n\tpath = lib\n\turl = %s/home/nowhere\n' "$PWD" > .gitmodules
            git add .gitmodules
            git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,lib
            git -c user.name=ada -c user.email=ada@localhost commit -qm three
            git checkout -q -f main
            """)
        #expect(made.code == 0, "\(made)")
        try mesh.up()
        try mesh.ready("web")
        let failed = try mesh.devmesh("use", "web", "feature/x", code: 1)
        #expect(failed.errors.contains("web@feature/x can't be checked out: git failed"), "\(failed)")
        #expect(try mesh.devmesh("logs", "web@feature/x", code: 0).output.contains("nowhere"))
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
