import TestSupport
import Testing

@testable import Commands

struct HelpTextTests {
    static let names = Subcommands.specs.filter { !$0.isHidden }.map(\.name)

    @Test(arguments: names) func help_ofCommand_isAsInFixture(name: String) throws {
        let spec = try Subcommands.named(name).spec
        #expect(HelpText(width: 80).command(spec) == Fixtures.text("commands/\(name).txt"))
    }

    @Test func overview_isAsInFixture() {
        #expect(HelpText(width: 80).overview(Subcommands.specs) == Fixtures.text("commands/overview.txt"))
    }

    @Test func fixtures_areOfCommandsThatExist() {
        let wanted = Set(Self.names.map { $0 + ".txt" } + ["overview.txt"])
        #expect(Set(Fixtures.names(in: "commands", suffix: ".txt")) == wanted)
    }

    @Test(arguments: names) func help_narrowTerminal_staysInside(name: String) throws {
        let spec = try Subcommands.named(name).spec
        for line in HelpText(width: 40).command(spec).split(separator: "\n") where !line.hasPrefix("  devmesh") {
            let isOneWord = !line.drop { $0 == " " }.contains(" ")
            #expect(
                DisplayWidth.of(String(line)) <= 40 || isOneWord || line.hasPrefix("Usage:") || line.hasPrefix("  "))
        }
    }

    @Test(arguments: names) func spec_everyCommand_isWhole(name: String) throws {
        let spec = try Subcommands.named(name).spec
        #expect(!spec.examples.isEmpty)
        #expect(!spec.abstract.hasSuffix("."))
        let shorts = spec.allOptions.compactMap(\.short)
        #expect(Set(shorts).count == shorts.count)
        let longs = spec.allOptions.map(\.long)
        #expect(Set(longs).count == longs.count)
        // Each example is a line that the command itself accepts.
        for example in spec.examples where example.line.hasPrefix("devmesh \(name)") && !example.line.contains("'") {
            let words = example.line.split(separator: " ").dropFirst(2).map(String.init)
            let own = words.prefix { !["|", "&&", ">"].contains($0) }
            #expect(throws: Never.self) { try ArgumentParser.parse(Array(own), for: spec) }
        }
    }
}
