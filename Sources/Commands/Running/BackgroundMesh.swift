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
        /// What it had to say on its way up, as of a crash before.
        var notices: [String]

        init(name: String, local: [String], notices: [String] = []) {
            self.name = name
            self.local = local
            self.notices = notices
        }

        init?(_ line: [UInt8]) {
            guard let json = try? JSON(parsing: line), let name = json["name"]?.stringValue,
                let local = json["local"]?.arrayValue, let notices = json["notices"]?.arrayValue
            else { return nil }
            self.init(
                name: name, local: local.compactMap { $0.stringValue }, notices: notices.compactMap { $0.stringValue })
        }

        var line: String {
            let json: JSON = [
                "name": .string(name), "local": .array(local.map { .string($0) }),
                "notices": .array(notices.map { .string($0) }),
            ]
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
        let log: Descriptor
        do throws(ProjectError) {
            try project.makeStateFolder()
            log = try project.openSupervisorLog()
        } catch { throw .failed(error.description) }
        do throws(Errno) {
            let kernel = Kernel.real
            let before = kernel.status(log)?.size ?? 0
            let pipe = try kernel.pipe()
            let request = SpawnRequest(
                path: ThisProcess.executablePath ?? "/proc/self/exe",
                arguments: ["devmesh", "-f", project.manifest, SuperviseCommand.spec.name] + arguments,
                environment: session.environment, newSession: true)
            let pid = try spawn(request, stdin: pipe.writer, output: log)
            // Now the supervisor alone can write: its end is the pipe's.
            pipe.writer.close()
            if let started = try Started(readLine(pipe.reader)) { return .started(started) }
            let status = ChildTable.wait(pid)
            let said = (try? kernel.readFile(project.supervisorLog))?.dropFirst(before) ?? []
            return .ended(status.shellCode, said: String(decoding: said, as: UTF8.self))
        } catch {
            throw .failed(Sentences.cannotSupervise(error))
        }
    }

    private static func spawn(_ request: SpawnRequest, stdin: borrowing Descriptor, output: borrowing Descriptor)
        throws(Errno) -> Int32
    {
        do throws(SpawnFailure) {
            return try ChildTable.spawn(request, stdin: stdin.raw, stdout: output.raw, stderr: output.raw)
        } catch {
            throw error.error
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
