import JSON
import Manifest
import Platform

/// What `use`, `scale`, `route`, `fault` and `watch` chose: lives through crashes, `up` again and edits of the manifest;
/// `down` forgets it (contract §5).
public struct RuntimeChoices: Sendable, Equatable {
    static let version = 1

    /// By service.
    public var targets: [String: Target]
    /// By unit: `reader`, `reader@next`.
    public var instances: [String: Int]

    /// By service, as the control API writes rules. An empty one takes away what the manifest says.
    public var routes: [String: JSON]
    /// By service, as the control API writes a list of faults.
    public var faults: [String: JSON]
    /// The git refs that routes name, by service.
    public var refs: [String: [String]]
    /// By unit, whether changes of its files are heeded: as `watch` chose.
    public var watches: [String: Bool]

    public init(
        targets: [String: Target] = [:], instances: [String: Int] = [:], routes: [String: JSON] = [:],
        faults: [String: JSON] = [:], refs: [String: [String]] = [:], watches: [String: Bool] = [:]
    ) {
        self.targets = targets
        self.instances = instances
        self.routes = routes
        self.faults = faults
        self.refs = refs
        self.watches = watches
    }

    public var isEmpty: Bool { self == RuntimeChoices() }

    /// Reads what was chosen; nothing where nothing was. A damaged file yields what can be read, and a sentence.
    public static func read(_ project: LocatedProject, kernel: Kernel = .real) throws(ProjectError) -> (
        choices: RuntimeChoices, note: String?
    ) {
        let path = project.choicesFile
        let bytes: [UInt8]
        do throws(Errno) { bytes = try kernel.readFile(path) } catch {
            if error == .noEntry || error == .notDirectory { return (RuntimeChoices(), nil) }
            throw .unreadable(path: path, error)
        }
        guard let json = try? JSON(parsing: bytes), let version = json["version"]?.intValue else {
            return (RuntimeChoices(), damage(path))
        }
        guard version <= Self.version else { throw .newer(path: path, version: version) }
        var choices = RuntimeChoices()
        var isWhole = true
        for member in json["targets"]?.objectValue ?? [] {
            choices.targets[member.name] = member.value.stringValue.map(Target.init(text:))
            isWhole = isWhole && member.value.stringValue != nil
        }
        for member in json["instances"]?.objectValue ?? [] {
            let count = member.value.intValue.flatMap { $0 >= 0 ? $0 : nil }
            choices.instances[member.name] = count
            isWhole = isWhole && count != nil
        }
        for member in json["routes"]?.objectValue ?? [] {
            choices.routes[member.name] = member.value
            isWhole = isWhole && member.value.objectValue != nil
        }
        for member in json["faults"]?.objectValue ?? [] {
            choices.faults[member.name] = member.value
            isWhole = isWhole && member.value.arrayValue != nil
        }
        for member in json["refs"]?.objectValue ?? [] {
            choices.refs[member.name] = member.value.arrayValue?.compactMap(\.stringValue)
            isWhole = isWhole && choices.refs[member.name]?.count == member.value.arrayValue?.count
        }
        for member in json["watches"]?.objectValue ?? [] {
            choices.watches[member.name] = member.value.boolValue
            isWhole = isWhole && member.value.boolValue != nil
        }
        return (choices, isWhole ? nil : damage(path))
    }

    /// Writes them so that they outlive a crash.
    public func write(_ project: LocatedProject, kernel: Kernel = .real) throws(ProjectError) {
        guard !isEmpty else { return try Self.forget(project, kernel: kernel) }
        let json: JSON = [
            "version": .int(Self.version),
            "targets": Self.json(targets) { .string($0.text) }, "instances": Self.json(instances) { .int($0) },
            "routes": Self.json(routes) { $0 }, "faults": Self.json(faults) { $0 },
            "refs": Self.json(refs) { .array($0.map(JSON.string)) }, "watches": Self.json(watches) { .bool($0) },
        ]
        do throws(Errno) {
            try kernel.replaceFile(project.choicesFile, with: Array((json.pretty() + "\n").utf8))
        } catch {
            throw .unwritable(
                path: project.choicesFile, error, mend: "Make room and check the folder's permissions.")
        }
    }

    private static func json<Value>(_ values: [String: Value], _ json: (Value) -> JSON) -> JSON {
        .object(values.sorted { $0.key < $1.key }.map { .init($0.key, json($0.value)) })
    }

    public static func forget(_ project: LocatedProject, kernel: Kernel = .real) throws(ProjectError) {
        do throws(Errno) { try kernel.remove(project.choicesFile) } catch {
            throw .unwritable(path: project.choicesFile, error, mend: "Remove the file by hand.")
        }
    }

    private static func damage(_ path: String) -> String {
        "\(path) was damaged: what `devmesh use`, `scale`, `route`, `fault` and `watch` chose may be lost. Give these commands "
            + "again."
    }
}
