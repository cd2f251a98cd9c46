import TestSupport
import Testing

@testable import Commands

struct ManPageTests {
    static let page = ManPage(specs: Subcommands.specs, version: "1.2.3").roff

    @Test func page_namesEveryCommandAndOption() {
        #expect(Self.page.hasPrefix(".TH DEVMESH 1 \"\" \"devmesh 1.2.3\""))
        for spec in Subcommands.specs where !spec.isHidden {
            #expect(Self.page.contains(".SS devmesh \(spec.name) "))
            for option in spec.options {
                #expect(Self.page.contains("\\-\\-" + ManPage.escape(option.long) + "\\fR"))
            }
        }
        #expect(!Self.page.contains("__complete"))
    }

    @Test func escape_specialCharacters_areKept() {
        #expect(ManPage.escape(".git a-b\\n 'x'") == "\\&.git a\\-b\\en 'x'")
        #expect(ManPage.escape("'x'") == "\\&'x'")
    }

    @Test func page_man_readsItWithoutWarnings() throws {
        let folder = TemporaryFolder()
        let path = folder.write("devmesh.1", Self.page)
        let result = try ChildProcess.shell("command -v groff >/dev/null || exit 0; groff -man -Tutf8 -ww \(path)")
        #expect(result.status == 0)
        #expect(result.errors == "")
    }
}
