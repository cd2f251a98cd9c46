import Testing

// The test of the test: made-up sources, each with what must be found in it.

private func file(_ text: String, in room: String = "Plan") -> SourceFile {
    SourceFile(path: "Sources/\(room)/Made.swift", room: room, text: text)
}

@Test(arguments: [
    ("import JSON", ["JSON"]),
    ("    import JSON // why", ["JSON"]),
    ("@testable import Manifest", ["Manifest"]),
    ("@preconcurrency public import Manifest", ["Manifest"]),
    ("@_spi(Tests) import Manifest", ["Manifest"]),
    ("import struct Foundation.Data", ["Foundation"]),
    ("import Darwin.C", ["Darwin"]),
    ("import JSON; import HTTP", ["JSON", "HTTP"]),
    ("import JSON\nimport HTTP\n", ["JSON", "HTTP"]),
    ("#if canImport(Glibc)\n    import Glibc\n#endif", ["Glibc"]),
    ("// import JSON", []),
    ("/* import JSON */", []),
    ("/* /* */\nimport JSON\n*/", []),
    ("let a = \"import JSON\"", []),
    ("let a = \"\"\"\n    import JSON\n    \"\"\"\nimport HTTP", ["HTTP"]),
    ("let a = #\"\"\"\n    \"\"\"\n    import JSON\n    \"\"\"#", []),
    ("let a = \"\\\"\"; import HTTP", ["HTTP"]),
    ("let a = \"http://x\"\nimport HTTP", ["HTTP"]),
    ("func important() {}\nlet imported = import_()", []),
])
func imports_areFound_inCodeOnly(text: String, modules: [String]) {
    #expect(file(text).imports.map(\.text) == modules)
}

@Test func imports_knowTheirLine() {
    let text = "/* one\ntwo */\nlet a = \"\"\"\n\n\"\"\"\nimport HTTP\n"
    #expect(file(text).imports == [SourceFile.Finding(line: 6, text: "HTTP")])
}

@Test(arguments: [
    ("#if os(Linux)", ["#if os(Linux)"]),
    ("  #elseif canImport(Darwin)", ["#elseif canImport(Darwin)"]),
    ("#if !os(macOS) && DEBUG", ["#if !os(macOS) && DEBUG"]),
    ("#if arch(x86_64)", ["#if arch(x86_64)"]),
    ("#if DEBUG", []),
    ("// #if os(Linux)", []),
    ("let a = \"#if os(Linux)\"", []),
    ("let a = #\"#if os(Linux)\"#", []),
])
func platformConditions_areFound_inCodeOnly(text: String, conditions: [String]) {
    #expect(file(text).platformConditions.map(\.text) == conditions)
}

@Test func violations_nameFileLineRoomAndReason() {
    #expect(violations(in: file("import Manifest\nimport Synchronization\n#if DEBUG\n#endif")) == [])
    #expect(
        violations(in: file("import Manifest\nimport Proxy")) == [
            "Sources/Plan/Made.swift:2: Plan may not import Proxy: of ours it may import JSON, Manifest"
        ])
    #expect(
        violations(in: file("import HTTP", in: "JSON")) == [
            "Sources/JSON/Made.swift:1: JSON may not import HTTP: it imports nothing of ours"
        ])
    #expect(
        violations(in: file("import Proxy", in: "Supervisor")).first?.contains("Supervisor may not import Proxy")
            == true)
}

@Test(arguments: ["Foundation", "FoundationEssentials"])
func violations_refuseFoundation_inEveryRoom(module: String) {
    for room in allowedImports.keys {
        #expect(violations(in: file("import \(module)", in: room)).count == 1, "\(room)")
    }
}

@Test(arguments: ["import Glibc", "import Darwin", "import CPlatform", "#if os(Linux)", "#elseif canImport(Darwin)"])
func violations_leaveTheSystemToPlatform(line: String) {
    for room in allowedImports.keys {
        #expect(violations(in: file(line, in: room)).count == (room == "Platform" ? 0 : 1), "\(room)")
    }
}

@Test func violations_nameARoomThatIsNotInTheTable() {
    #expect(violations(in: file("", in: "Utils")).first?.contains("the room Utils is not in the table") == true)
}

@Test func lineCount_countsLines_withOrWithoutTheLastLineEnd() {
    #expect(file("a\nb\n").lineCount == 2)
    #expect(file("a\nb").lineCount == 2)
}
