import Manifest

/// Reads command lines: `--flag=value`, `-n 5`, `-n5`, `-df FILE`; `--` ends the options.
enum ArgumentParser {
    /// Reads what stands before the command: `-f FILE`, `--help`, `--version`.
    static func invocation(_ words: [String]) throws(UsageError) -> Invocation {
        let options: [OptionSpec] = [.file, .help, .flag("version", "V", "")]
        var scanner = OptionScanner(words: words, options: options, command: nil)
        while let word = scanner.next() {
            if try scanner.readOption(word) { continue }
            let rest = Array(scanner.words[scanner.position...])
            return Invocation(file: scanner.result.value("file"), request: request(scanner, word, rest))
        }
        return Invocation(file: scanner.result.value("file"), request: request(scanner, nil, []))
    }

    private static func request(_ scanner: OptionScanner, _ name: String?, _ rest: [String]) -> Invocation.Request {
        if scanner.result.has("version") { return .version }
        guard let name else { return scanner.result.has("help") ? .help : .nothing }
        return .command(name: name, rest: scanner.result.has("help") ? ["--help"] : rest)
    }

    /// Reads what stands after the command's name.
    ///
    /// `--help` anywhere before a program to run wins over everything else that may be wrong.
    static func parse(_ words: [String], for spec: CommandSpec) throws(UsageError) -> Arguments {
        var scanner = OptionScanner(words: words, options: spec.allOptions, command: spec.name)
        let takesCommandLine = spec.arguments.last?.arity == .commandLine
        let before = spec.arguments.count - 1
        while let word = scanner.next() {
            if takesCommandLine, scanner.result.positionals.count == before, scanner.optionsEnded || !isOption(word) {
                scanner.result.commandLine = [word] + scanner.words[scanner.position...]
                break
            }
            if try scanner.readOption(word) {
                if scanner.result.has("help") { return scanner.result }
                continue
            }
            scanner.result.positionals.append(word)
        }
        try checkCount(scanner.result, spec)
        return scanner.result
    }

    private static func checkCount(_ arguments: Arguments, _ spec: CommandSpec) throws(UsageError) {
        let required = spec.arguments.filter { $0.isRequired && $0.arity != .commandLine }
        if arguments.positionals.count < required.count {
            throw .missingArgument(required[arguments.positionals.count].name, command: spec.name)
        }
        if let last = spec.arguments.last, last.arity == .commandLine, arguments.commandLine.isEmpty {
            throw .missingArgument(last.name, command: spec.name)
        }
        let takesMany = spec.arguments.contains { $0.arity == .any || $0.arity == .several }
        let most = spec.arguments.count { $0.arity != .commandLine }
        if !takesMany, arguments.positionals.count > most {
            throw .unexpectedArgument(arguments.positionals[most], command: spec.name)
        }
        for (argument, text) in zip(spec.arguments, arguments.positionals) {
            if case .choice(let choices) = argument.kind, !choices.contains(text) {
                throw .invalidValue(text, of: argument.name, expected: Phrase.list(choices, joined: "or"))
            }
        }
    }

    /// Whether a word is an option; `-` alone is a positional argument.
    static func isOption(_ word: String) -> Bool { word.utf8.count > 1 && word.utf8.first == UInt8(ascii: "-") }
}

/// Goes through the words of a command line and takes the options out.
private struct OptionScanner {
    let words: [String]
    let options: [OptionSpec]
    /// For the sentences; nil before the command.
    let command: String?
    var position = 0
    var optionsEnded = false
    var result = Arguments()

    init(words: [String], options: [OptionSpec], command: String?) {
        self.words = words
        self.options = options
        self.command = command
    }

    /// The next word; `--` is swallowed and ends the options.
    mutating func next() -> String? {
        guard position < words.count else { return nil }
        defer { position += 1 }
        if words[position] == "--", !optionsEnded {
            optionsEnded = true
            position += 1
            guard position < words.count else { return nil }
        }
        return words[position]
    }

    /// Takes `word`, and the value after it, if it is an option. False: it is a positional argument.
    mutating func readOption(_ word: String) throws(UsageError) -> Bool {
        if optionsEnded || !ArgumentParser.isOption(word) { return false }
        if word.hasPrefix("--") { try readLong(word) } else { try readBundle(word) }
        return true
    }

    private mutating func readLong(_ word: String) throws(UsageError) {
        let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        guard let option = options.first(where: { $0.long == name }) else {
            throw .unknownOption("--" + name, command: command, nearest: nearest(to: name))
        }
        let attached = parts.count > 1 ? String(parts[1]) : nil
        if let value = option.value {
            let text = if let attached { attached } else { try following("--" + name, value) }
            try keep(option, text)
        } else if attached != nil {
            throw .unexpectedValue("--" + name, command: command)
        } else {
            result.flags.insert(option.long)
        }
    }

    /// `-df FILE`, `-n5`: flags run together, the last may take a value.
    private mutating func readBundle(_ word: String) throws(UsageError) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = options.first(where: { $0.short == letter }) else {
                throw .unknownOption("-\(letter)", command: command, nearest: nil)
            }
            guard let value = option.value else {
                result.flags.insert(option.long)
                continue
            }
            if letters.first == "=" { letters.removeFirst() }
            try keep(option, letters.isEmpty ? following("-\(letter)", value) : String(letters))
            return
        }
    }

    /// The word after an option as its value. One that looks like an option is refused: the value was forgotten.
    private mutating func following(_ option: String, _ value: OptionSpec.Value) throws(UsageError) -> String {
        guard position < words.count, !ArgumentParser.isOption(words[position]) else {
            throw .missingValue(option, value.placeholder, command: command)
        }
        defer { position += 1 }
        return words[position]
    }

    private mutating func keep(_ option: OptionSpec, _ text: String) throws(UsageError) {
        if case .choice(let choices)? = option.value?.kind, !choices.contains(text) {
            throw .invalidValue(text, of: "--" + option.long, expected: Phrase.list(choices, joined: "or"))
        }
        result.values[option.long, default: []].append(text)
    }

    private func nearest(to name: String) -> String? {
        Manifest.nearest(to: name, among: options.map(\.long)).map { "--" + $0 }
    }
}
