import JSON
import Manifest

/// Writes a draft as people would: short values on one line, comments where they help.
enum ManifestText {
    private static let width = 100

    static func write(_ draft: Draft, environmentFile: String?) -> String {
        let example = draft.services.first { $0.listens != .nowhere && !$0.isDisabled }
        var lines = [
            "{",
            comment(
                "Made by `devmesh init` from \(draft.origin.source). `devmesh check` validates it, `devmesh up` "
                    + "starts it.", 1),
        ]
        if let example {
            let stem = Injected.stem(of: example.name)
            lines.append(
                comment(
                    "Services find \(example.name) at SERVICE_\(stem)_ADDRESS; \"uses\" reserves an address for a "
                        + "caller.", 1))
        }
        if let name = draft.name { lines += member("name", .string(name), 1, isLast: false) }
        if let environmentFile { lines += member("envFile", .string(environmentFile), 1, isLast: false) }
        lines.append("  \"services\": {")
        for (index, service) in draft.services.enumerated() {
            lines += service.comments.map { comment($0, 2) }
            let name = service.isDisabled ? "x-" + service.name : service.name
            let isLast = index == draft.services.count - 1
            lines += member(name, service.json, 2, isLast: isLast, isBroken: true)
        }
        lines += ["  }", "}", ""]
        return lines.joined(separator: "\n")
    }

    /// One line, whatever the text.
    private static func comment(_ text: String, _ level: Int) -> String {
        indentation(level) + "// " + String(text.map { $0.isNewline ? " " : $0 })
    }

    private static func indentation(_ level: Int) -> String { String(repeating: "  ", count: level) }

    private static func member(
        _ name: String, _ value: JSON, _ level: Int, isLast: Bool, isBroken: Bool = false
    ) -> [String] {
        let start = indentation(level) + JSON.string(name).serialized() + ": "
        return lines(value, level, start: start, end: isLast ? "" : ",", isBroken: isBroken)
    }

    private static func lines(_ value: JSON, _ level: Int, start: String, end: String, isBroken: Bool = false)
        -> [String]
    {
        let line = start + inline(value) + end
        if !isBroken, line.unicodeScalars.count <= width { return [line] }
        switch value {
        case .object(let members) where !members.isEmpty:
            let inner = members.indices.flatMap { index in
                member(members[index].name, members[index].value, level + 1, isLast: index == members.count - 1)
            }
            return [start + "{"] + inner + [indentation(level) + "}" + end]
        case .array(let elements) where !elements.isEmpty:
            let inner = elements.indices.flatMap { index in
                lines(
                    elements[index], level + 1, start: indentation(level + 1),
                    end: index == elements.count - 1 ? "" : ",")
            }
            return [start + "["] + inner + [indentation(level) + "]" + end]
        default: return [line]
        }
    }

    private static func inline(_ value: JSON) -> String {
        switch value {
        case .object(let members) where !members.isEmpty:
            let inner = members.map { JSON.string($0.name).serialized() + ": " + inline($0.value) }
            return "{ " + inner.joined(separator: ", ") + " }"
        case .array(let elements): return "[" + elements.map(inline).joined(separator: ", ") + "]"
        default: return value.serialized()
        }
    }
}
