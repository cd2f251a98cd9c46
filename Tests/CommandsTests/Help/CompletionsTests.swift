import TestSupport
import Testing

@testable import Commands

/// The bash script in a real bash; of the others what can be told without their shells.
struct CompletionsTests {
    static let script = BashCompletions(specs: Subcommands.specs).script

    /// What bash would offer after `line`, whose last word is being typed.
    ///
    /// - Parameter answers: shell code that stands in for `devmesh __complete`, its arguments in `$*`.
    static func complete(_ line: String, answers: String = "echo reader members") throws -> [String] {
        let folder = TemporaryFolder()
        folder.write("devmesh", "#!/bin/sh\n\(answers)\n", permissions: 0o700)
        folder.write("services.a.json", "{}")
        folder.write("devmesh.bash", script)
        // Words as readline splits them: at blanks and around `=`.
        var words = line.replacing("=", with: " = ").split(separator: " ").map(String.init)
        if line.hasSuffix(" ") { words.append("") }
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let result = try ChildProcess.run(
            "/bin/bash",
            [
                "--norc", "-c",
                """
                source ./devmesh.bash; COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1); _devmesh
                printf '%s\\n' "${COMPREPLY[@]}"
                """,
            ], in: folder.path, environment: ["PATH": "\(folder.path):/usr/bin:/bin"])
        #expect(result.errors == "")
        return result.output.split(separator: "\n").map(String.init)
    }

    @Test(arguments: [
        ("devmesh rest", ["restart"]),
        ("devmesh __", []),
        ("devmesh --f", ["--file"]),
        ("devmesh restart re", ["reader"]),
        ("devmesh restart reader ", ["reader", "members"]),
        ("devmesh wait reader --for st", ["started", "stopped"]),
        ("devmesh wait reader --for=st", ["started", "stopped"]),
        ("devmesh wait --for ready mem", ["members"]),
        ("devmesh logs --no", ["--no-prefix", "--no-color"]),
        ("devmesh logs -f mem", ["members"]),
        ("devmesh up --local reader,mem", ["reader,members"]),
        ("devmesh scale re", ["reader="]),
        ("devmesh completions ", ["bash", "zsh", "fish"]),
        ("devmesh help ps", ["ps"]),
        ("devmesh check -f serv", ["services.a.json"]),
        ("devmesh -f services.a.json stop r", ["reader"]),
        ("devmesh route reader re", ["reader"]), ("devmesh fault reader --from mem", ["members"]),
        ("devmesh use reader ", ["reader", "members"]),
        ("devmesh down ", []),
    ])
    func bash_line_isCompleted(line: String, expected: [String]) throws {
        #expect(try Self.complete(line) == expected)
    }

    @Test func bash_fileAndService_arePassedOn() throws {
        let answers = "echo \"[$*]\" | tr ' ' _"
        #expect(
            try Self.complete("devmesh -f x.json use reader ", answers: answers) == [
                "[-f_x.json___complete_targets_reader]"
            ])
        #expect(try Self.complete("devmesh up --file=x.json ", answers: answers) == ["[-f_x.json___complete_services]"])
        #expect(try Self.complete("devmesh logs -f reader ", answers: answers) == ["[__complete_services]"])
    }

    @Test func scripts_everyCommandAndOption_isKnown() {
        let zsh = ZshCompletions(specs: Subcommands.specs).script
        let fish = FishCompletions(specs: Subcommands.specs).script
        for spec in Subcommands.specs where !spec.isHidden {
            #expect(zsh.contains("        \(spec.name))\n"))
            #expect(fish.contains(" -a \(spec.name) -d "))
            for option in spec.options {
                #expect(zsh.contains("--\(option.long)"))
                #expect(
                    fish.contains(
                        "from \(spec.name)'" + (option.short.map { " -s \($0)" } ?? "") + " -l \(option.long) "))
            }
        }
        for script in [zsh, fish, Self.script] {
            for placeholder in ["@COMMANDS@", "@CASES@", "@FOLLOWING@", "@OPTIONS@", "@VALUES@", "@ARGUMENTS@"] {
                #expect(!script.contains(placeholder))
            }
        }
    }

    @Test func zsh_quotes_areBalanced() throws {
        let lines = ZshCompletions(specs: Subcommands.specs).script.split(separator: "\n")
        for line in lines where line.hasPrefix("                '") {
            #expect(line.replacing("'\\''", with: "").count { $0 == "'" } % 2 == 0, "\(line)")
        }
    }
}
