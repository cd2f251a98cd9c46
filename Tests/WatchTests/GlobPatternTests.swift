import Platform
import TestSupport
import Testing

@testable import Watch

@Suite struct GlobPatternTests {
    @Test(arguments: [
        ("*.c", "main.c", true), ("*.c", "src/main.c", true), ("*.c", "main.cc", false),
        ("/*.c", "src/main.c", false), ("src/*.c", "src/a/main.c", false), ("src/**/*.c", "src/main.c", true),
        ("src/**/*.c", "src/a/b/main.c", true), ("**/test", "a/b/test", true), ("src/**", "src/a", true),
        ("src/**", "src", false), ("a?c", "abc", true), ("a?c", "a/c", false), ("[a-c]x", "bx", true),
        ("[!a-c]x", "bx", false), ("[]]x", "]x", true), ("[[:digit:]]", "7", true), ("\\!x", "!x", true),
        ("\\#x", "#x", true), ("x\\ ", "x ", true), ("x ", "x", true), ("a**b", "axyb", true), ("a**b", "a/b", false),
        ("[a", "[a", false), ("*a*b*c", "xaybzc", true), ("*a*b*c", "xaybz", false), ("*~", "main.c~", true),
    ])
    func matches_asGitHasIt(pattern: String, path: String, isMatch: Bool) throws {
        #expect(try #require(GlobPattern(pattern)).matches(path, isFolder: false) == isMatch)
    }

    @Test func line_withoutPattern_isNone() {
        for line in ["", "# comment", "   ", "/", "!", "\r"] { #expect(GlobPattern(line) == nil, "\(line)") }
    }

    @Test func folderPattern_isAboutFoldersOnly() throws {
        let pattern = try #require(GlobPattern("build/"))
        #expect(pattern.matches("a/build", isFolder: true))
        #expect(!pattern.matches("a/build", isFolder: false))
    }

    /// Patterns that take others exponential time.
    @Test func manyAsterisks_endSoon() throws {
        let pattern = try #require(GlobPattern(String(repeating: "*a", count: 40) + "b"))
        #expect(!pattern.matches(String(repeating: "a", count: 2000), isFolder: false))
    }

    /// Random .gitignores in random trees, judged by git itself.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func rules_agreeWithGit(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let folder = TemporaryFolder()
        let names = ["a", "b", "ab", "a.c", "b.o", "x y", ".h", "a]", "-a"]
        var files: Set<String> = []
        for _ in 0..<60 {
            let depth = Int.random(in: 1...4, using: &random)
            let path = (0..<depth).map { _ in names.randomElement(using: &random)! }.joined(separator: "/")
            let isTaken = files.contains { $0 == path || $0.hasPrefix(path + "/") || path.hasPrefix($0 + "/") }
            if !isTaken { files.insert(path) }
        }
        for file in files { folder.write("r/" + file, "") }
        let pieces = ["a", "b", "*", "?", "**", "/", "[ab]", "[!a]", ".c", "\\a", "x y", "]"]
        func patterns() -> String {
            (0..<6).map { _ in
                let sign = Int.random(in: 0..<4, using: &random) == 0 ? "!" : ""
                let body = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                    pieces.randomElement(using: &random)!
                }.joined()
                return sign + body + (Int.random(in: 0..<4, using: &random) == 0 ? "/" : "")
            }.joined(separator: "\n") + "\n"
        }
        var rules: [String: String] = [:]
        let folders = Set(files.flatMap { Self.above($0) }).sorted()
        for place in folders where place.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
            rules[place] = patterns()
            folder.write("r/" + (place.isEmpty ? "" : place + "/") + ".gitignore", rules[place]!)
        }
        folder.write("paths", files.sorted().map { $0 + "\n" }.joined())
        let script = """
            cd "$0/r" && git init -q . && git -c core.quotePath=false -c core.excludesFile=/dev/null \
            check-ignore --no-index --stdin -v -n < ../paths > ../verdicts
            """
        var environment = ThisProcess.environment
        environment["HOME"] = folder.path
        _ = ChildTable.wait(
            try ChildTable.spawn(
                SpawnRequest(
                    path: "/bin/sh", arguments: ["sh", "-c", script, folder.path], environment: environment)))
        // `source:line:pattern<tab>path`; what no pattern says anything of has `::`.
        let verdicts = try #require(folder.read("verdicts")).split(separator: "\n")
        #expect(verdicts.count == files.count)
        let base = folder.path + "/r"
        for verdict in verdicts {
            let parts = verdict.split(separator: "\t")
            let path = String(parts[1])
            let pattern = parts[0].split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)[2]
            let isIgnored = !pattern.isEmpty && !pattern.hasPrefix("!")
            #expect(isLeftOut(path, base, rules) == isIgnored, "seed \(seed): \(path) \(verdict) \(rules)")
        }
    }

    private static func above(_ file: String) -> [String] {
        let parts = file.split(separator: "/")
        return (0..<parts.count).map { parts[..<$0].joined(separator: "/") }
    }

    /// As a tree is walked: what is below an ignored folder is never asked about.
    private func isLeftOut(_ path: String, _ base: String, _ rules: [String: String]) -> Bool {
        let parts = path.split(separator: "/").map(String.init)
        var lists: [IgnoreRules.List] = []
        for depth in 0..<parts.count {
            let folder = parts[..<depth].joined(separator: "/")
            let whole = folder.isEmpty ? base : base + "/" + folder
            if let text = rules[folder] {
                lists.insert(.init(folder: whole, lines: text.split(separator: "\n").map(String.init)), at: 0)
            }
            var entry = whole + "/" + parts[depth]
            let isFolder = depth + 1 < parts.count
            let verdict = entry.withUTF8 { bytes in
                lists.lazy.compactMap { list in
                    list.ignores(bytes, name: bytes.count - parts[depth].utf8.count, isFolder: isFolder)
                }.first
            }
            if verdict == true { return true }
        }
        return false
    }
}
