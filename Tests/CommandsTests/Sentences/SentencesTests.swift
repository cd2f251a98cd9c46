import Control
import Platform
import Testing

@testable import Commands

struct SentencesTests {
    @Test(arguments: [
        (Sentences.noMesh("/n/services.json"), "No mesh is up for /n/services.json. `devmesh up` starts it."),
        (
            Sentences.nothingToStop("/n/services.json"),
            "No mesh is up for /n/services.json; there is nothing to stop."
        ),
        (Sentences.stopped(1, "newsroom"), "newsroom is down; 1 service stopped."),
        (Sentences.stopped(3, "newsroom"), "newsroom is down; 3 services stopped."),
        (Sentences.detached("newsroom"), "Detached; newsroom stays up. `devmesh down` stops it."),
        (Sentences.attached("console.1"), "Attached to console.1; ctrl-P ctrl-Q detaches."),
        (Sentences.detachedFrom("console.1"), "Detached from console.1."),
        (
            Sentences.attachNeedsTerminal("console"),
            "`devmesh attach` connects a terminal, and here is none; `devmesh logs -f console` only reads."
        ),
        (Sentences.isUp("newsroom"), "newsroom is up; ^C stops it."),
        (
            Sentences.isUpInBackground("newsroom"),
            "newsroom is up in the background. `devmesh logs -f` follows it, `devmesh down` stops it."
        ),
        (
            Sentences.changes(started: ["a"], restarted: ["b", "c"], removed: [], "newsroom"),
            "newsroom is up already: started a, restarted b and c."
        ),
        (
            Sentences.changes(started: [], restarted: [], removed: [], "newsroom"),
            "newsroom is up already: nothing to change."
        ),
        (
            Sentences.notReady("db", "exit code 1"),
            "db failed: exit code 1. The mesh stays up; `devmesh why db` says more."
        ),
        (Sentences.notReady("db", nil), "db failed. The mesh stays up; `devmesh why db` says more."),
        (Sentences.valid("services.json", 3), "services.json: no mistakes; 3 services."),
        (Sentences.noMeshes, "No mesh is up on this machine. `devmesh up` starts one."),
        (Sentences.cannotWrite(.isDirectory), "The output could not be written: Is a directory."),
        (
            Sentences.cannotWrite(.noSpace),
            "The output could not be written: the disk is full; make room (`df -h` shows where; `df -i`, where files "
                + "are too many)."
        ),
    ])
    func mesh_wordForWord(sentence: String, expected: String) {
        #expect(sentence == expected)
    }

    @Test(arguments: [
        (
            Sentences.unknownService("raeder", among: ["reader", "members"]),
            "There is no service \"raeder\". Did you mean \"reader\"?"
        ),
        (
            Sentences.unknownService("x", among: ["reader", "members"]),
            "There is no service \"x\". The manifest has reader and members."
        ),
        (Sentences.unknownService("x", among: []), "There is no service \"x\"; the manifest has none."),
        (Sentences.done(.start, "reader"), "reader is up."),
        (Sentences.done(.stop, "reader"), "reader is stopped."),
        (Sentences.done(.restart, "reader"), "reader is restarted."),
        (Sentences.done(.build, "reader"), "reader is built."),
        (Sentences.begun(.restart, "reader"), "reader is restarting."),
        (
            Sentences.failed(.restart, "reader", "the build failed with exit code 2."),
            "reader could not be restarted: the build failed with exit code 2. `devmesh why reader` says more."
        ),
        (Sentences.failed(.stop, "reader", nil), "reader could not be stopped. `devmesh why reader` says more."),
        (Sentences.using("members", "remote"), "members is now served by remote."),
        (Sentences.usingManifest("members"), "members is as the manifest says."),
        (
            Sentences.couldNotUse("members", "local", "it has no `run` command."),
            "members could not be served by local: it has no `run` command. What served it before goes on; "
                + "`devmesh logs members` says more."
        ),
        (Sentences.scaled("reader", 1), "reader has 1 instance."),
        (Sentences.scaled("reader", 3), "reader has 3 instances."),
        (Sentences.conditionMet([("a", "ready")], "ready"), "a is ready."),
        (
            Sentences.conditionMet(["a", "b", "c"].map { ($0, "ready") }, "ready"), "a, b and c are ready."
        ),
        (
            Sentences.conditionMet([("a", "ready"), ("job", "completed")], "ready"),
            "a is ready. job is completed."
        ),
        (Sentences.conditionMet([("a", "failed")], "stopped"), "a is stopped."),
        (
            Sentences.failed(.start, "bad", "bad can't be started: there is no program x"),
            "bad can't be started: there is no program x. `devmesh why bad` says more."
        ),
        (
            Sentences.waitedTooLong(["a", "b"], "ready", "30s"),
            "a and b are not ready after 30s. `devmesh why a` says more."
        ),
        (
            Sentences.nothingToBuild("db"), "it has nothing to build; give services.db a `build` command"
        ),
        (
            Sentences.buildFailed("db", "exit code 2"),
            "db could not be built: exit code 2."
        ),
    ])
    func service_wordForWord(sentence: String, expected: String) {
        #expect(sentence == expected)
    }

    @Test(arguments: [
        (
            Sentences.unusable("nosuch", .notFound),
            "There is no program \"nosuch\" on the PATH; name it by its path, or install it."
        ),
        (Sentences.unusable("./nosuch", .notFound), "There is no program ./nosuch."),
        (
            Sentences.unusable("data", .notExecutable("/p/data")),
            "/p/data can't be executed; `chmod +x /p/data` mends it if it is a program."
        ),
        (
            Sentences.noDirectory("/p/reader", of: "reader"),
            "The folder of reader, /p/reader, is not there; make it, or change services.reader.directory."
        ),
    ])
    func program_wordForWord(sentence: String, expected: String) {
        #expect(sentence == expected)
    }
}
