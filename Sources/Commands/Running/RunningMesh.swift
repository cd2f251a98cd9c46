import Control
import Platform
import Project

/// A mesh that is up, to be asked through its control socket.
struct RunningMesh {
    var record: MeshRecord
    private let client: ControlClient

    init(record: MeshRecord) {
        self.record = record
        var client = ControlClient(socket: record.socket)
        client.onSilence = {
            guard ProcessTable.entry(record.pid)?.isStopped == true else { return }
            try? StandardStream.error.write("devmesh: \(Sentences.isSuspended(record.name, record.pid))\n")
        }
        self.client = client
    }

    /// Asks it, and turns what went wrong into how the command ends.
    /// - Parameter whileSilent: called once where the answer takes longer than a moment.
    func ask<Answer>(
        whileSilent: (@Sendable () -> Void)? = nil, _ question: (ControlClient) throws(ControlError) -> Answer
    ) throws(CommandFailure) -> Answer {
        var client = client
        if let whileSilent {
            client.onSilence = { [onSilence = client.onSilence] in
                onSilence?()
                whileSilent()
            }
        }
        do {
            return try question(client)
        } catch .noMesh {
            throw .noMesh(Sentences.noMesh(record.manifest))
        } catch .staleSocket {
            throw .noMesh(ControlError.staleSocket.description)
        } catch .refused(let failure) where failure.code == RunningMesh.invalidManifest {
            throw .invalidManifest(failure.message.split(separator: "\n").map(String.init))
        } catch .refused(let failure) where failure.code == RunningMesh.stopping {
            throw .meshIsEnding(failure.message)
        } catch .cutOff {
            throw .meshIsEnding(ControlError.cutOff.description)
        } catch {
            throw .failed(error.description)
        }
    }

    /// The code of a refusal whose message is a manifest's mistakes, a line each.
    private static let invalidManifest = "invalid-manifest"
    /// The code of a refusal by a mesh that is on its way down.
    private static let stopping = "stopping"
}
