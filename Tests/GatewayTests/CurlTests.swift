import Control
import EventLoop
import Gateway
import JSON
import Platform
import TestSupport
import Testing

/// The API with the client that everybody has. Without curl the tests show as skipped.
@Suite(.enabled(if: curlPath != nil, "curl is not installed")) struct CurlTests {
    /// Runs curl against the socket; returns what it printed and how it ended.
    private func curl(_ mesh: FakeMesh, _ arguments: String...) throws -> (output: String, status: Platform.ExitStatus)
    {
        let pipe = try Kernel.real.pipe()
        let path = try #require(curlPath)
        let request = SpawnRequest(
            path: path, arguments: ["curl", "-sS", "--max-time", "30", "--unix-socket", mesh.socket] + arguments,
            environment: ["HOME": "/nonexistent"])
        let child = try ChildTable.spawn(request, stdout: pipe.writer.raw, stderr: pipe.writer.raw)
        pipe.writer.close()
        var output: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { buffer.deallocate() }
        while case .bytes(let count) = try Kernel.real.read(pipe.reader, into: buffer) { output += buffer[..<count] }
        return (String(decoding: output, as: UTF8.self), ChildTable.wait(child))
    }

    @Test func services_areListed() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let (output, status) = try curl(mesh, "http://devmesh/v1/services")
        #expect(status.isSuccess)
        #expect(output == JSON.array([FakeBackend.reader.json]).serialized() + "\n")
    }

    @Test func action_postedAsPeopleDo_isPerformed() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let body = #"{"services":["reader"]}"#
        let (output, status) = try curl(mesh, "-f", "-d", body, "http://devmesh/v1/services/restart")
        #expect(status.isSuccess)
        #expect(output == #"{"results":[{"service":"reader","ok":true,"reason":null}]}"# + "\n")
    }

    @Test func bodyThatIsLarge_isSentAfterContinue() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let folder = TemporaryFolder()
        let value = String(repeating: "x", count: 500_000)
        let file = folder.write("body", #"{"env":{"A":"\#(value)"}}"#)
        let (output, _) = try curl(mesh, "-H", "Expect: 100-continue", "-d", "@" + file, "http://devmesh/v1/up")
        #expect(output.contains(#""started":["reader"]"#))
        #expect(mesh.onLoop { $0.backend.calls.first?.utf8.count } == value.utf8.count + #"up [] ["A": ""]"#.utf8.count)
    }

    @Test func head_endsAtOnce() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let (output, status) = try curl(mesh, "-I", "http://devmesh/v1/mesh")
        #expect(status.isSuccess)
        #expect(output.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test func severalUrls_shareOneConnection() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let url = "http://devmesh/v1/mesh"
        let (output, _) = try curl(mesh, "-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ", url, url)
        #expect(output == "1 0 ")
    }

    @Test func events_streamAsLines() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        mesh.onLoop { parts in
            parts.backend.events.append(MeshEvent(time: "t", service: "a", event: "ready"))
            parts.backend.events.append(MeshEvent(time: "t", service: "b", event: "ready"))
        }
        let (output, status) = try curl(mesh, "-N", "http://devmesh/v1/events")
        #expect(status.isSuccess)
        #expect(
            try output.split(separator: "\n").map { try MeshEvent(json: JSON(parsing: String($0))).service } == [
                "a", "b",
            ])
    }

    @Test func abort_cancelsWhatWaits() throws {
        let mesh = try FakeMesh()
        defer { mesh.close() }
        let (_, status) = try curl(
            mesh, "--max-time", "0.2", "-d", #"{"services":["reader"]}"#, "http://devmesh/v1/services/wait")
        #expect(status == .exited(28))
        #expect(mesh.waitCancelled.take(within: patience(.seconds(20))) != nil)
    }
}

private let curlPath: String? = try? Executable.find("curl", path: ThisProcess.environment["PATH"], directory: "/")
