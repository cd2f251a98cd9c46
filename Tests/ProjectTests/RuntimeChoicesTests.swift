import JSON
import Manifest
import Platform
import Project
import TestSupport
import Testing

@Suite struct RuntimeChoicesTests {
    private let choices = RuntimeChoices(
        targets: ["reader": .remote, "purge": .version("next"), "members": .git("feature/x")],
        instances: ["purge@next": 3], routes: ["reader": ["weights": ["local": 1]], "purge": [:]],
        faults: ["reader": [["delayMs": 200]]], refs: ["reader": ["main", "feature/x"]])

    @Test func choices_liveUntilTheyAreForgotten() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        #expect(try RuntimeChoices.read(fixture.project).choices.isEmpty)
        try choices.write(fixture.project)
        let read = try RuntimeChoices.read(fixture.project)
        #expect(read.choices == choices)
        #expect(read.note == nil)
        #expect(Kernel.real.status(fixture.project.choicesFile)?.mode == 0o600)
        try RuntimeChoices.forget(fixture.project)
        #expect(try RuntimeChoices.read(fixture.project).choices.isEmpty)
        try RuntimeChoices.forget(fixture.project)
    }

    @Test func choicesWithoutAny_leaveNoFile() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        try choices.write(fixture.project)
        try RuntimeChoices().write(fixture.project)
        #expect(Kernel.real.status(fixture.project.choicesFile) == nil)
    }

    @Test func fileCutAnywhere_isReportedAndDoesNotStopAnything() throws {
        let fixture = ProjectFixture()
        try fixture.project.makeStateFolder()
        try choices.write(fixture.project)
        let bytes = try Kernel.real.readFile(fixture.project.choicesFile)
        for length in 0..<bytes.count - 2 {
            try Kernel.real.replaceFile(fixture.project.choicesFile, with: Array(bytes[..<length]))
            let read = try RuntimeChoices.read(fixture.project)
            #expect(read.choices.isEmpty)
            #expect(
                read.note
                    == "\(fixture.project.choicesFile) was damaged: what `devmesh use`, `scale`, `route`, `fault` and `watch` "
                    + "chose may be lost. Give these commands again.")
        }
    }

    @Test func entriesThatMakeNoSense_areLeftOut() throws {
        let fixture = ProjectFixture()
        fixture.folder.write(
            "shop/.devmesh/services.json/state.json",
            #"{"version":1,"targets":{"a":"remote","b":7},"instances":{"a":-1,"b":2},"routes":{"c":{}},"#
                + #""refs":{"a":["x",7]}}"#)
        let read = try RuntimeChoices.read(fixture.project)
        #expect(
            read.choices
                == RuntimeChoices(
                    targets: ["a": .remote], instances: ["b": 2], routes: ["c": [:]], refs: ["a": ["x"]]))
        #expect(read.note != nil)
    }

    @Test func newerFile_isRefused() throws {
        let fixture = ProjectFixture()
        fixture.folder.write("shop/.devmesh/services.json/state.json", #"{"version":2}"#)
        #expect(throws: ProjectError.newer(path: fixture.project.choicesFile, version: 2)) {
            try RuntimeChoices.read(fixture.project)
        }
    }
}
