import JSON

/// Collects what is wrong with one manifest, while it is read. Belongs to one call of `Manifest.load`.
final class Report {
    let document: JSONDocument
    private let file: String
    private var collected: [(fileIndex: Int, diagnostic: Diagnostic)] = []
    private var files: [String]
    /// Looking for near misses costs, and nobody reads thousands of them.
    private var suggestionsLeft = 200

    init(document: JSONDocument, file: String) {
        self.document = document
        self.file = file
        files = [file]
    }

    func error(_ sentence: Sentence, at offset: Int, _ trail: KeyTrail) {
        add(.error, sentence, file: file, position: position(at: offset), trail)
    }

    func warning(_ sentence: Sentence, at offset: Int, _ trail: KeyTrail) {
        add(.warning, sentence, file: file, position: position(at: offset), trail)
    }

    /// Reports an error in another file that the manifest names at `trail`.
    func error(_ sentence: Sentence, in file: String, position: Position, _ trail: KeyTrail) {
        add(.error, sentence, file: file, position: position, trail)
    }

    func add(
        _ severity: Diagnostic.Severity, _ sentence: Sentence, file: String, position: Position, _ trail: KeyTrail
    ) {
        let diagnostic = Diagnostic(
            severity: severity, file: file, position: position, keyPath: trail.text, sentence: sentence)
        var index = files.firstIndex(of: file)
        if index == nil {
            index = files.count
            files.append(file)
        }
        collected.append((index!, diagnostic))
    }

    var hasErrors: Bool {
        collected.contains { $0.diagnostic.severity == .error }
    }

    func position(at offset: Int) -> Position {
        let position = document.position(at: offset)
        return Position(line: position.line, column: position.column)
    }

    /// The name that was probably meant, for as long as suggestions are affordable.
    func nearest(to name: String, among names: some Sequence<String>) -> String? {
        guard suggestionsLeft > 0 else { return nil }
        suggestionsLeft -= 1
        return Manifest.nearest(to: name, among: names)
    }

    /// All of it, the manifest first, in the order of the text and each once: what versions inherit is read for each.
    var diagnostics: [Diagnostic] {
        let sorted = collected.enumerated().sorted { left, right in
            let leftKey = (left.element.fileIndex, left.element.diagnostic.position.line)
            let rightKey = (right.element.fileIndex, right.element.diagnostic.position.line)
            if leftKey != rightKey { return leftKey < rightKey }
            let columns = (left.element.diagnostic.position.column, right.element.diagnostic.position.column)
            return columns.0 != columns.1 ? columns.0 < columns.1 : left.offset < right.offset
        }
        var result: [Diagnostic] = []
        for (_, entry) in sorted {
            let wanted = entry.diagnostic
            let isRepeated = result.reversed().prefix { $0.position == wanted.position && $0.file == wanted.file }
                .contains { $0.sentence == wanted.sentence }
            if !isRepeated { result.append(wanted) }
        }
        return result
    }
}
