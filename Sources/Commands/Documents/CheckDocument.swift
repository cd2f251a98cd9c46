import JSON
import Manifest

/// What `devmesh check --json` prints: `{"valid", "problems": [{"severity", "file", "line", "column", "key", "message"}]}`.
enum CheckDocument {
    static func json(_ loaded: LoadedManifest) -> JSON {
        switch loaded {
        case .valid(_, let warnings): ["valid": true, "problems": .array(warnings.map(problem))]
        case .invalid(let diagnostics): ["valid": false, "problems": .array(diagnostics.map(problem))]
        }
    }

    private static func problem(_ diagnostic: Diagnostic) -> JSON {
        [
            "severity": .string(diagnostic.severity == .error ? "error" : "warning"),
            "file": .string(diagnostic.file), "line": .int(diagnostic.position.line),
            "column": .int(diagnostic.position.column), "key": .string(diagnostic.keyPath),
            "message": .string(diagnostic.sentence.description),
        ]
    }
}
