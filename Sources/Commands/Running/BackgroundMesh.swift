import JSON
import Platform
import Project

/// `up -d`: this program once more as a supervisor in a session of its own, without a terminal.
///
///     up -d ──spawn──▶ __supervise ── stdout, stderr ──▶ supervisor.log
///       ▲                   │ stdin: the writing end of a pipe
///       └──── "started" ────┘ or the pipe's end, when it could not
enum BackgroundMesh {
    /// What the supervisor says once the mesh is up.
    struct Started: Equatable {
        var name: String
        /// What it starts here.
        var local: [String]

        init(name: String, local: [String]) {
            self.name = name
            self.local = local
        }

        init?(_ line: [UInt8]) {
            guard let json = try? JSON(parsing: line), let name = json["name"]?.stringValue,
                let local = json["local"]?.arrayValue
            else { return nil }
            self.init(name: name, local: local.compactMap { $0.stringValue })
        }

        var line: String {
            let json: JSON = ["name": .string(name), "local": .array(local.map { .string($0) })]
            return json.serialized() + "\n"
        }
    }

    /// How starting it went.
    enum Outcome {
        case started(Started)
        /// It ended with this code, having said this.
        case ended(Int32, said: String)
    }

    /// Starts the supervisor and waits until the mesh is up.
    ///
    /// - Parameter arguments: those of `up`.
    static func start(_ project: LocatedProject, arguments: [String], in session: Session) throws(CommandFailure)
        -> Outcome
    {
        do throws(ProjectError) { try project.makeStateFolder() } catch { throw .failed(error.description) }
        do {
            let kernel = Kernel.real
            let log = try kernel.open(project.supervisorLog, .append)
            let before = kernel.status(log)?.size ?? 0
            let program = ThisProcess.executablePath ?? "/proc/self/exe"
            let request = SpawnRequest(
                path: program, arguments: ["devmesh", "-f", project.manifest, SuperviseCommand.spec.name] + arguments,
                environment: session.environment, newSession: true)
            var ends: (reader: Int32, writer: Int32) = (-1, -1)
            try kernel.pipe().split { ends = ($0.release(), $1.release()) }
            let reader = Descriptor(owning: ends.reader)
            let writer = Descriptor(owning: ends.writer)
            let pid = try ChildTable.spawn(request, stdin: writer.raw, stdout: log.raw, stderr: log.raw)
            // Now the supervisor alone can write: its end is the pipe's.
            writer.close()
            if let started = try Started(readLine(reader)) { return .started(started) }
            let status = ChildTable.wait(pid)
            let said = (try? kernel.readFile(project.supervisorLog))?.dropFirst(before) ?? []
            return .ended(status.shellCode, said: String(decoding: said, as: UTF8.self))
        } catch let error as SpawnFailure {
            throw .failed(Sentences.cannotSupervise(error.error))
        } catch let error as Errno {
            throw .failed(Sentences.cannotSupervise(error))
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Tells whoever started this supervisor that the mesh is up. Where nobody listens any more, that is no matter.
    static func report(_ started: Started) {
        try? StandardStream.input.write(started.line)
    }

    /// What came before the first line's end or the pipe's.
    private static func readLine(_ reader: borrowing Descriptor) throws(Errno) -> [UInt8] {
        var line: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer { buffer.deallocate() }
        while line.last != UInt8(ascii: "\n") {
            guard case .bytes(let count) = try Kernel.real.read(reader, into: buffer) else { break }
            line += buffer[..<count]
        }
        return line
    }
}
