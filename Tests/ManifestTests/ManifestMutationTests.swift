import Manifest
import TestSupport
import Testing

/// Manifests that were good or bad in a known way, damaged at random.
@Suite struct ManifestMutationTests {
    @Test func damagedManifests_giveAManifestOrDiagnostics() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(state: seed)
        let seeds = ["valid", "invalid"].flatMap { folder in
            ManifestFixtures.names(folder).map { (folder, Fixtures.bytes("manifests/\(folder)/\($0)")) }
        }
        for round in 0..<4000 {
            let (folder, original) = seeds[round % seeds.count]
            var bytes = original
            for _ in 0...Int.random(in: 0...3, using: &generator) { mutate(&bytes, &generator) }
            switch ManifestFixtures.load(bytes, folder: folder) {
            case .valid(let manifest, let warnings):
                #expect(!warnings.contains { $0.severity == .error }, "seed \(seed), round \(round)")
                #expect(manifest.services.allSatisfy { !$0.fingerprint.isEmpty }, "seed \(seed), round \(round)")
            case .invalid(let diagnostics):
                #expect(diagnostics.contains { $0.severity == .error }, "seed \(seed), round \(round)")
                #expect(
                    diagnostics.allSatisfy { $0.position.line >= 1 && $0.position.column >= 1 },
                    "seed \(seed), round \(round)")
            }
        }
    }

    private static let pieces = [
        "{", "}", "[", "]", ",", ":", "\"", "'", "\\", "\\u", "\\ud83d", "/*", "//", "*/", "#", "\n", "null", "true",
        "-1", "1e9", "\"\"", "${", "${A}", "$$", "}", "@", "x-", "\u{0}", "é", "\"env\": {}", "\"run\": 1,",
        "\"services\":", "\"listens\": false,", "\"oneShot\": true,", "\"dependsOn\": {\"a\": \"ready\"},",
    ].map { Array($0.utf8) }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SplitMix) {
        let at = Int.random(in: 0...bytes.count, using: &generator)
        let end = min(bytes.count, at + Int.random(in: 1...12, using: &generator))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes.removeSubrange(at..<end)
        case 1: bytes.insert(contentsOf: Self.pieces.randomElement(using: &generator)!, at: at)
        case 2: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &generator))
        case 3: bytes.removeSubrange(at...)
        case 4 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &generator)
        default: bytes.replaceSubrange(at..<end, with: Self.pieces.randomElement(using: &generator)!)
        }
    }
}

/// Random numbers that a seed repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
