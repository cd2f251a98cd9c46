import Platform
import TestSupport
import Testing

// The repository itself, as it lies on the disk.

private let root = Path.join(Fixtures.path, "..")

private func names(_ folder: String) -> [String] { (try? Kernel.real.list(Path.join(root, folder))) ?? [] }

/// Every file below a folder, as seen from the root.
private func files(below folder: String) -> [String] {
    names(folder).flatMap { name in
        let path = folder + "/" + name
        return Kernel.real.status(Path.join(root, path))?.kind == .directory ? files(below: path) : [path]
    }
}

private func text(_ path: String) -> String {
    String(decoding: (try? Kernel.real.readFile(Path.join(root, path))) ?? [], as: UTF8.self)
}

private func swiftFiles(below folder: String) -> [SourceFile] {
    files(below: folder).filter { $0.hasSuffix(".swift") }.map {
        SourceFile(path: $0, room: $0.split(separator: "/").dropFirst().first.map(String.init) ?? "", text: text($0))
    }
}

@Test func everyRoom_importsOnlyWhatItMay() {
    let sources = swiftFiles(below: "Sources")
    #expect(sources.count > 50, "the sources were not found at \(root)")
    for violation in sources.flatMap(violations(in:)) { Issue.record("\(violation)") }
}

@Test func everyFolderOfSources_isInTheTable_andTheReverse() {
    let folders = names("Sources").filter { $0 != "README.md" && !$0.hasPrefix(".") }
    #expect(Set(folders) == Set(allowedImports.keys))
}

@Test func everyRoom_hasItsTests() {
    let programs: Set<String> = ["CPlatform", "devmesh", "devmesh-bench", "newsroom"]
    for room in allowedImports.keys where !programs.contains(room) {
        #expect(!files(below: "Tests/\(room)Tests").isEmpty, "Tests/\(room)Tests is missing")
    }
}

@Test func everySourceFile_isShort() {
    for file in swiftFiles(below: "Sources") where file.lineCount > 400 {
        Issue.record("\(file.path) has \(file.lineCount) lines; 400 are the most: give one of its reasons a file")
    }
}

/// What begins with a dot belongs to tools, but for what we put there ourselves.
@Test func topLevel_holdsOnlyWhatAReaderExpects() {
    let expected: Set<String> = [
        "Fixtures", "Package.swift", "README.md", "Sources", "Tests", "services.example.json",
    ]
    let ours = names("").filter { !$0.hasPrefix(".") && $0 != "Package.resolved" }
    for name in ours where !expected.contains(name) {
        Issue.record("\(name) lies at the top level: give it a place in one of \(expected.sorted())")
    }
}

/// Start-up time and memory are paid for each module; a package would be paid for by everyone who builds.
@Test func package_hasNoDependencies() {
    #expect(!text("Package.swift").contains(".package("))
    #expect(!text("Package.swift").isEmpty)
}

/// Tests/BUGS.md says of each class of bugs which tests guard against it.
@Test func everyTestOfTheTableOfBugs_exists() {
    let sources = files(below: "Tests").filter { $0.hasSuffix(".swift") || $0.hasSuffix(".py") }.map(text)
    let rows = text("Tests/BUGS.md").split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst(2)
    #expect(rows.count > 20)
    for row in rows {
        let cell = row.split(separator: "|").last { $0.contains("`") } ?? ""
        let tests = cell.split(separator: "`").filter { $0.contains("_") }
        if tests.isEmpty { Issue.record("no test: \(row)") }
        for test in tests where !sources.contains(where: { $0.contains(" \(test)(") }) {
            Issue.record("there is no test \(test)")
        }
    }
}
