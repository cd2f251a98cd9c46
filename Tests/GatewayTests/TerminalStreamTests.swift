import Control
import EventLoop
import Platform
import TestSupport
import Testing

@testable import Gateway

@Suite struct TerminalStreamTests {
    private let window = TerminalWindow(TerminalSize(columns: 100, rows: 30), name: "a/b")

    @Test func terminal_watched_comesAsBytesUntilTheClientLeaves() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        var seen: [UInt8] = []
        let client = mesh.client
        let thread = try PlatformThread("program") {
            _ = mesh.reaches { $0.backend.viewer != nil }
            mesh.onLoop { $0.backend.viewer?.show([0xFF, 0, 10]) }
        }
        try client.watchTerminal(of: "reader", window) { bytes in
            seen += bytes
            return false
        }
        thread.join()
        #expect(seen == [0xFF, 0, 10])
        #expect(mesh.reaches { $0.backend.calls == ["attach reader 100x30 a/b", "detach"] })
    }

    @Test func typed_bytes_arriveAsTheyAre() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        #expect(try mesh.client.type([0xFF, 0, 13], into: "reader", nil).service == "reader.1")
        #expect(mesh.onLoop { $0.backend.calls } == ["type [255, 0, 13]"])
        #expect(throws: ControlError.refused(.unknownService("raeder"))) {
            try mesh.client.watchTerminal(of: "raeder", nil) { _ in true }
        }
    }

    /// The service waits for nobody: whoever does not read is told what they missed, and sees the screen anew.
    @Test func client_thatDoesNotRead_missesSomeAndIsTold() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let client = try RawClient(mesh.socket)
        try client.send("GET /v1/services/reader/terminal HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(mesh.reaches { $0.backend.viewer != nil })
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
        mesh.onLoop { parts in for _ in 0..<64 { parts.backend.viewer?.show(piece) } }
        let text = try client.read(until: "bytes were left out here")
        let shown = text.count { $0 == "x" }
        #expect(shown < 64 * piece.count)
        #expect(text.contains("[devmesh: \(64 * piece.count - shown) bytes were left out here"))
        #expect(mesh.reaches { $0.backend.calls.contains("redraw") })
        client.close()
        #expect(mesh.reaches { $0.backend.calls.last == "detach" })
    }

    @Test func server_thatFinishes_endsTheStream() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let thread = try PlatformThread("server") {
            _ = mesh.reaches { $0.backend.viewer != nil }
            mesh.onLoop { $0.server.finish {} }
        }
        try mesh.client.watchTerminal(of: "reader", nil) { _ in true }
        thread.join()
        #expect(mesh.reaches { $0.backend.calls.last == "detach" })
    }
}
