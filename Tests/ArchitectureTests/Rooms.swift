/// What each folder of Sources may import of the package; the direction that may not be bent.
///
/// The standard library's own modules are free for all. The system's modules, Foundation, and conditional compilation
/// by platform are judged apart, see `violations(in:)`.
let allowedImports: [String: Set<String>] = [
    "CPlatform": [],
    "Platform": ["CPlatform"],
    "EventLoop": ["Platform"],
    "JSON": [],
    "HTTP": [],
    "Manifest": ["JSON"],
    "Import": ["JSON", "Manifest"],
    "Plan": ["Manifest", "JSON"],
    "Project": ["Platform", "JSON", "Manifest", "Plan"],
    "Logs": ["Platform", "EventLoop", "JSON"],
    "Watch": ["Platform", "EventLoop"],
    "Supervisor": ["Platform", "EventLoop", "HTTP", "Manifest", "Plan"],
    "Proxy": ["Platform", "EventLoop", "HTTP"],
    "Control": ["Platform", "JSON", "HTTP"],
    "Gateway": ["Platform", "EventLoop", "JSON", "HTTP", "Control"],
    "Mesh": everyRoom.subtracting(["Mesh", "Commands"]),
    "Commands": everyRoom.subtracting(["Commands"]),
    "devmesh": ["Commands"],
    "devmesh-bench": ["Platform", "JSON", "HTTP"],
    "newsroom": ["Platform", "EventLoop", "HTTP", "JSON"],
]

private let everyRoom: Set<String> = [
    "Platform", "EventLoop", "JSON", "HTTP", "Manifest", "Import", "Plan", "Project", "Logs", "Watch", "Supervisor",
    "Proxy", "Control", "Gateway", "Mesh", "Commands",
]

/// Parts of the standard library, at no one's cost.
private let standardLibrary: Set<String> = ["Swift", "Synchronization", "RegexBuilder", "_StringProcessing"]

/// The operating system: for the room Platform alone.
private let systemModules: Set<String> = ["Glibc", "Musl", "Darwin"]

/// What a source file does that its room may not; each sentence begins with `file:line`.
func violations(in file: SourceFile) -> [String] {
    guard let allowed = allowedImports[file.room] else {
        return ["\(file.path):1: the room \(file.room) is not in the table of allowed imports (Rooms.swift)"]
    }
    var found: [String] = []
    for statement in file.imports {
        let module = statement.text
        if allowed.contains(module) || standardLibrary.contains(module) { continue }
        if systemModules.contains(module), file.room == "Platform" { continue }
        found.append("\(file.path):\(statement.line): \(file.room) may not import \(module): \(why(module, allowed))")
    }
    if file.room != "Platform" {
        found += file.platformConditions.map {
            "\(file.path):\($0.line): \(file.room) may not say '\($0.text)': only Platform knows which system it is on"
        }
    }
    return found
}

private func why(_ module: String, _ allowed: Set<String>) -> String {
    if module.hasPrefix("Foundation") { return "it costs 5 ms and 10 MB at each start" }
    if systemModules.contains(module) || module == "CPlatform" { return "go through Platform" }
    if allowed.isEmpty { return "it imports nothing of ours" }
    return "of ours it may import \(allowed.sorted().joined(separator: ", "))"
}
