import Platform
import TestSupport
import Testing

@testable import Proxy

/// What a client and a server say to each other through a front, step by step: a folder of
/// `Fixtures/http1/conversations`, described there.
struct Conversation: Sendable, CustomTestStringConvertible {
    enum Step: String {
        case clientSends = "client-sends"
        case clientReceives = "client-receives"
        case clientEnds = "client-ends"
        case clientResets = "client-resets"
        case clientSeesTheEnd = "client-sees-the-end"
        case clientSeesAReset = "client-sees-a-reset"
        case serverSends = "server-sends"
        case serverReceives = "server-receives"
        case serverEnds = "server-ends"
        case serverResets = "server-resets"
        case serverSeesTheEnd = "server-sees-the-end"
        case serverSeesAReset = "server-sees-a-reset"
        case serverIsCalledAgain = "server-is-called-again"
        case serverIsNotCalled = "server-is-not-called"
    }

    private struct Malformed: Error { var file: String }

    let row: String
    let name: String
    var testDescription: String { name }

    static let folder = "http1/conversations"

    static func all(of row: String) -> [Conversation] {
        Fixtures.names(in: "\(folder)/\(row)").map { Conversation(row: row, name: $0) }
    }

    /// Takes it through a front of its own.
    func run() throws {
        let mesh = try Mesh(["reader"])
        let server = try Server()
        mesh.pass("reader", server)
        let client = try mesh.call("reader")
        var upstream: Peer?
        var isClientOpen = true
        func called() throws -> Peer {
            if let upstream { return upstream }
            let accepted = try server.accept()
            upstream = accepted
            return accepted
        }
        let place = "\(Conversation.folder)/\(row)/\(name)"
        for file in Fixtures.names(in: place) {
            guard let step = Step(rawValue: String(file.dropFirst(3))) else { throw Malformed(file: file) }
            let bytes = Fixtures.bytes("\(place)/\(file)")
            switch step {
            case .clientSends: try client.send(bytes)
            case .clientReceives: try expect(client, bytes, file)
            case .clientEnds: client.end()
            case .clientResets:
                client.reset()
                isClientOpen = false
            case .clientSeesTheEnd:
                #expect(try client.expectEnd(), "\(file)")
                isClientOpen = false
            case .clientSeesAReset:
                #expect(try client.expectReset(), "\(file)")
                isClientOpen = false
            case .serverSends: try called().send(bytes)
            case .serverReceives: try expect(called(), bytes, file)
            case .serverEnds: try called().close()
            case .serverResets: try called().reset()
            case .serverSeesTheEnd: #expect(try called().expectEnd(), "\(file)")
            case .serverSeesAReset: #expect(try called().expectReset(), "\(file)")
            case .serverIsCalledAgain: upstream = try server.accept()
            case .serverIsNotCalled: #expect(try !server.hasVisitor(within: .milliseconds(20)), "\(file)")
            }
        }
        if isClientOpen { #expect(try client.isQuiet(for: .milliseconds(20)), "something came behind the last step") }
    }

    private func expect(_ peer: Peer, _ bytes: [UInt8], _ file: String) throws {
        let received = try peer.receiveBytes(count: bytes.count)
        // As text, so that a failure can be read.
        if received != bytes {
            #expect(String(decoding: received, as: UTF8.self) == String(decoding: bytes, as: UTF8.self), "\(file)")
        }
        #expect(received == bytes, "\(file)")
    }
}
