// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A room: a folder of `Sources` and its mirror in `Tests`.
///
/// - Parameter tools: what only its tests import.
func room(_ name: String, imports: [String] = [], tools: [String] = []) -> [Target] {
    [
        .target(name: name, dependencies: imports.map { .init(stringLiteral: $0) }, swiftSettings: settings),
        .testTarget(
            name: name + "Tests",
            dependencies: ([name, "TestSupport"] + imports + tools).map { .init(stringLiteral: $0) },
            swiftSettings: settings),
    ]
}

/// A program: `main.swift` and little else.
///
/// What users start many times a day carries Swift's library with it, at a fixed place: it starts in half the time, since
/// little need be looked up or relocated.
func program(_ name: String, imports: [String]) -> Target {
    let standsAlone = ["-static-stdlib", "-Xclang-linker", "-no-pie"]
    return .executableTarget(
        name: name, dependencies: imports.map { .init(stringLiteral: $0) }, swiftSettings: settings,
        linkerSettings: [.unsafeFlags(standsAlone, .when(platforms: [.linux], configuration: .release))])
}

let everyRoom = [
    "Platform", "EventLoop", "JSON", "HTTP", "Manifest", "Import", "Plan", "Project", "Logs", "Watch", "Supervisor",
    "Proxy", "Control", "Gateway", "Mesh", "Commands",
]

let package = Package(
    name: "devmesh",
    products: [
        .executable(name: "devmesh", targets: ["devmesh"]),
        .executable(name: "devmesh-bench", targets: ["devmesh-bench"]),
        .executable(name: "newsroom", targets: ["newsroom"]),
    ],
    targets: [
        .target(name: "CPlatform"),
        program("devmesh", imports: ["Commands"]),
        program("devmesh-bench", imports: ["Platform", "JSON", "HTTP"]),
        program("newsroom", imports: ["Platform", "EventLoop", "HTTP", "JSON"]),
        .target(
            name: "TestSupport", dependencies: ["Platform", "EventLoop", "JSON"], path: "Tests/TestSupport",
            swiftSettings: settings),
        .target(name: "CTestSupport", path: "Tests/CTestSupport"),
        .executableTarget(name: "fixture", path: "Tests/Fixture"),
        .target(name: "FuzzTargets", dependencies: ["HTTP"], path: "Tests/FuzzTargets", swiftSettings: settings),
        .testTarget(name: "ArchitectureTests", dependencies: ["TestSupport"], swiftSettings: settings),
    ]
        + room("Platform", imports: ["CPlatform"])
        + room("EventLoop", imports: ["Platform"])
        + room("JSON")
        + room("HTTP", tools: ["FuzzTargets"])
        + room("Manifest", imports: ["JSON"])
        + room("Import", imports: ["JSON", "Manifest"])
        + room("Plan", imports: ["Manifest", "JSON"])
        + room("Project", imports: ["Platform", "JSON", "Manifest", "Plan"])
        + room("Logs", imports: ["Platform", "EventLoop", "JSON"])
        + room("Watch", imports: ["Platform", "EventLoop"])
        + room("Supervisor", imports: ["Platform", "EventLoop", "HTTP", "Manifest", "Plan"])
        + room("Proxy", imports: ["Platform", "EventLoop", "HTTP"], tools: ["CTestSupport"])
        + room("Control", imports: ["Platform", "JSON", "HTTP"])
        + room("Gateway", imports: ["Platform", "EventLoop", "JSON", "HTTP", "Control"])
        + room("Mesh", imports: everyRoom.filter { $0 != "Mesh" && $0 != "Commands" })
        + room("Commands", imports: everyRoom.filter { $0 != "Commands" })
)
