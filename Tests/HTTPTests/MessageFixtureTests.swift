import Foundation
import HTTP
import Testing

/// The raw messages of `Fixtures/http1`, each against the description beside it.
@Suite struct MessageFixtureTests {
    @Test(arguments: Fixture.all)
    func message_whole_readsAsDescribed(_ fixture: Fixture) {
        #expect(describe(fixture, cuts: []) == fixture.expected)
    }

    @Test(arguments: Fixture.all)
    func message_byteByByte_readsAsWhole(_ fixture: Fixture) {
        #expect(describe(fixture, cuts: Array(1..<max(1, fixture.bytes.count))) == fixture.expected)
    }

    @Test(arguments: Fixture.all)
    func message_cutInTwoAnywhere_readsAsWhole(_ fixture: Fixture) {
        for cut in 1..<max(1, fixture.bytes.count) {
            #expect(describe(fixture, cuts: [cut]) == fixture.expected, "cut at \(cut)")
        }
    }

    @Test func fixtures_areAllThere() {
        #expect(Fixture.all.count >= 60)
    }

    private func describe(_ fixture: Fixture, cuts: [Int]) -> String {
        let bounds = [0] + cuts + [fixture.bytes.count]
        var reader = MessageDescription(
            isRequest: !fixture.name.hasPrefix("responses/"), answering: fixture.answeredMethod,
            limits: fixture.limits)
        for (start, end) in zip(bounds, bounds.dropFirst()) { reader.feed(fixture.bytes[start..<end]) }
        return reader.text
    }
}

struct Fixture: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let expected: String

    var testDescription: String { name }

    var limits: HTTPLimits {
        name.hasPrefix("limits/")
            ? HTTPLimits(startLine: 64, head: 256, fields: 4, trailers: 32, chunkLine: 16) : .standard
    }

    var answeredMethod: HTTPMethod {
        if name.contains("/to-HEAD-") { .head } else { name.contains("/to-CONNECT-") ? .connect : .get }
    }

    static let all: [Fixture] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/http1")
            .standardized
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: root.path)) ?? []
        return names.filter { $0.hasSuffix(".http") }.sorted().compactMap { path in
            let name = String(path.dropLast(5))
            guard let bytes = try? Data(contentsOf: root.appending(path: path)),
                let expected = try? String(contentsOf: root.appending(path: name + ".expect"), encoding: .utf8)
            else { return nil }
            return Fixture(name: name, bytes: Array(bytes), expected: expected)
        }
    }()
}
