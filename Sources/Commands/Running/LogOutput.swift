import EventLoop
import JSON
import Logs
import Manifest
import Platform
import Project

/// Logs on this terminal or pipe: what `logs` and `up` have in common.
enum LogOutput {
    /// Prints what is stored and what comes, on a thread of its own, to standard output.
    ///
    /// - Returns: the printer, which `finish` ends.
    @discardableResult
    static func follow(
        _ query: LogQuery, _ format: LogFormat, sink: (@Sendable (EventLoop) -> any LogSink)? = nil,
        onEnd: @escaping @Sendable (LogPrinter.End) -> Void
    ) throws(Errno) -> LogPrinter {
        let raw = try StandardStream.output.withDescriptor { (output) throws(Errno) in
            try Kernel.real.duplicate(output).release()
        }
        return try LogPrinter(following: query, format, to: Descriptor(owning: raw), sink: sink, onEnd: onEnd)
    }

    /// How a command that only printed logs ends.
    static func ending(_ end: LogPrinter.End) throws(CommandFailure) -> Int32 {
        switch end {
        case .finished: return 0
        case .outputClosed: throw .readerGone
        case .failed(let error): throw .failed(Sentences.cannotWrite(error))
        }
    }

    static func followed(_ end: LogPrinter.End) -> Following.End {
        do throws(CommandFailure) { return .finished(try ending(end)) } catch { return .failed(error) }
    }

    /// Every service and version that has logs or stands in the manifest, in the manifest's order.
    static func services(of project: LocatedProject) -> [String] {
        var names: [String] = []
        if let bytes = try? Kernel.real.readFile(project.manifest),
            case .object(let members)? = JSONDocument(parsing: bytes).root["services"]?.kind
        {
            names = members.flatMap { service in
                var versions: [JSONSyntax.Member] = []
                if case .object(let found)? = service.value["versions"]?.kind { versions = found }
                return [service.name] + versions.map { UnitName.of(service.name, version: $0.name) }
            }
        }
        let known = Set(names.map { $0.lowercased() })
        return names + LogArchive.services(in: project.logsFolder).filter { !known.contains($0.lowercased()) }
    }
}
