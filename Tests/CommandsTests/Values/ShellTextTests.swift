import Testing

@testable import Commands

struct ShellTextTests {
    static let awkward = ["plain": "x", "quote": "it's 'so'", "line": "a\nb", "dollar": "$HOME `id` \\", "empty": ""]

    @Test func assignments_inRealShell_giveValuesBack() throws {
        let lines = ShellText.assignments(Self.awkward).joined(separator: "\n")
        for (name, value) in Self.awkward {
            let result = try ChildProcess.run("/bin/sh", ["-c", "\(lines)\nprintf '%s.' \"$\(name)\""])
            #expect(result.output == value + ".")
        }
    }

    @Test func assignments_namesNoShellCanAssign_areLeftOut() {
        #expect(
            ShellText.assignments(["BASH_FUNC_x%%": "() { :; }", "1A": "x", "B-C": "y", "_D1": "z"]) == ["_D1='z'"])
    }
}
