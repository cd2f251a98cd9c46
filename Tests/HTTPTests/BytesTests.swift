import Testing

@testable import HTTP

/// The scans by eights against the plain loop, at every alignment and length.
@Suite struct BytesTests {
    private func check(
        _ scan: (UnsafeRawPointer, Int, Int) -> Int, _ stops: @escaping (UInt8) -> Bool, sourceLocation: SourceLocation
    ) {
        // Fillers that don't stop a scan, with high bits set and clear; then each byte there is, in each place.
        for filler in [UInt8(ascii: "a"), 0xE1, 0x80] where !stops(filler) {
            for length in [0, 1, 7, 8, 9, 17] {
                for stop in [UInt8](0...255) {
                    for place in 0..<max(length, 1) {
                        var bytes = [UInt8](repeating: filler, count: length)
                        if length > 0 { bytes[place] = stop }
                        let expected = bytes.firstIndex(where: stops) ?? length
                        let found = bytes.withUnsafeBytes { $0.baseAddress.map { scan($0, 0, length) } ?? 0 }
                        if found != expected {
                            Issue.record("\(bytes): \(found)", sourceLocation: sourceLocation)
                        }
                    }
                }
            }
        }
    }

    @Test func controls_areFoundWhereTheyAre() {
        check(
            { firstControl($0, from: $1, to: $2) }, { ($0 < 0x20 && $0 != 9) || $0 == 0x7F },
            sourceLocation: #_sourceLocation)
    }

    @Test func controlsAndSpaces_areFoundWhereTheyAre() {
        check(
            { firstControlOrSpace($0, from: $1, to: $2) }, { $0 <= 0x20 || $0 == 0x7F },
            sourceLocation: #_sourceLocation)
    }

    @Test func oneByte_isFoundWhereItIs() {
        check({ first(10, $0, from: $1, to: $2) }, { $0 == 10 }, sourceLocation: #_sourceLocation)
    }

    @Test func bytesThatNoTokenHolds_areFoundWhereTheyAre() {
        let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for c in [UInt8](0...255) { #expect(isTokenByte(c) == token.contains(c), "\(c)") }
        check({ firstNonToken($0, from: $1, to: $2) }, { !token.contains($0) }, sourceLocation: #_sourceLocation)
    }

    @Test func names_compareWithoutCaseOfLettersOnly() {
        func same(_ text: String) -> Bool {
            Array(text.utf8).withUnsafeBytes { equalsLowercased($0.baseAddress!, 0..<$0.count, "keep-alive") }
        }
        #expect(same("keep-alive") && same("KEEP-ALIVE") && same("Keep-Alive"))
        #expect(!same("keep\ralive") && !same("keep-alivE1") && !same("keep-aliv\u{5}"))
    }
}
