import Control
import Manifest

/// The line below the logs of `up`: how the services stand, and what keys are for. Pure: keys and states go in, text and
/// commands come out.
///
///     states ── r, b, f, m, o ──► choosing ── letters, Tab, Enter ──► a command
///        ▲                           └── Esc ──┐
///        └─────────────────────────────────────┘
struct StatusLine {
    /// A service as `ps` shows it.
    struct Service: Sendable, Equatable {
        var name: String
        var state: String
    }

    /// What is to be done, for whoever has hands.
    enum Command: Sendable, Equatable {
        case perform(ServiceAction, String)
        /// In the browser; nil: the gateway.
        case open(String?)
        case show(LogFilter)
        /// Between the lines of the log, after whatever line is unfinished; without any it only ends that.
        case say([String])
        case quit
        /// As ^Z does it.
        case suspend
    }

    /// Whose lines are shown.
    struct LogFilter: Sendable, Equatable {
        /// Nil: all but those muted.
        var only: String?
        var muted: Set<String> = []

        func shows(_ unit: String) -> Bool {
            let service = UnitName.service(of: unit)
            return only.map { $0 == service } ?? !muted.contains(service)
        }
    }

    enum Verb: Character, CaseIterable {
        case restart = "r"
        case build = "b"
        case filter = "f"
        case mute = "m"
        case open = "o"

        var name: String {
            switch self {
            case .restart: "restart"
            case .build: "build"
            case .filter: "show only"
            case .mute: "mute"
            case .open: "open"
            }
        }
    }

    /// Which service a verb is for.
    struct Choice: Equatable {
        var verb: Verb
        var typed = ""
        /// Which of the services that fit.
        var place = 0
    }

    var services: [Service] = [] {
        didSet {
            guard let choice else { return }
            let place = min(choice.place, max(0, candidates(choice).count - 1))
            self.choice?.place = place
        }
    }
    private(set) var choice: Choice?
    private(set) var filter = LogFilter()

    // MARK: Keys

    mutating func press(_ key: TerminalKey) -> Command? {
        guard let choice else { return pressed(key) }
        let found = candidates(choice)
        switch key {
        case .character(let character):
            var next = choice
            next.typed.append(character)
            next.place = 0
            // What fits nothing is not taken.
            if !candidates(next).isEmpty { self.choice = next }
        case .backspace:
            self.choice?.place = 0
            if self.choice?.typed.popLast() == nil { self.choice = nil }
        case .next: self.choice?.place = (choice.place + 1) % max(found.count, 1)
        case .previous: self.choice?.place = (choice.place + found.count - 1) % max(found.count, 1)
        case .escape: self.choice = nil
        case .enter:
            self.choice = nil
            return command(choice, found.isEmpty ? nil : found[choice.place])
        case .suspend: return .suspend
        case .other: break
        }
        return nil
    }

    private mutating func pressed(_ key: TerminalKey) -> Command? {
        switch key {
        case .character("q"): return .quit
        case .character("?"): return .say(Self.help)
        case .character(let character):
            if let verb = Verb(rawValue: character) { choice = Choice(verb: verb) }
            return nil
        case .escape where filter != LogFilter():
            filter = LogFilter()
            return .show(filter)
        case .suspend: return .suspend
        default: return nil
        }
    }

    /// - Parameter service: nil where none is there to choose from.
    private mutating func command(_ choice: Choice, _ service: String?) -> Command? {
        guard let service else { return choice.verb == .open ? .open(nil) : nil }
        switch choice.verb {
        case .restart: return .perform(.restart, service)
        case .build: return .perform(.build, service)
        case .open: return .open(service == Self.gateway ? nil : service)
        case .filter: filter.only = service == Self.all ? nil : service
        case .mute: if filter.muted.remove(service) == nil { filter.muted.insert(service) }
        }
        return .show(filter)
    }

    private static let all = "all"
    private static let gateway = "gateway"

    /// What a choice can be of, those first that begin as was typed.
    private func candidates(_ choice: Choice) -> [String] {
        var names = services.map(\.name)
        if choice.verb == .filter, filter.only != nil { names.insert(Self.all, at: 0) }
        if choice.verb == .open { names.insert(Self.gateway, at: 0) }
        let typed = choice.typed.lowercased()
        if typed.isEmpty { return names }
        let fitting = names.filter { $0.lowercased().contains(typed) }
        let begins = { (name: String) in name.lowercased().hasPrefix(typed) }
        return fitting.filter(begins) + fitting.filter { !begins($0) }
    }

    static let help = [
        "r  restart a service     f  show only one     ?  this help",
        "b  build a service       m  mute or unmute    q  stop the mesh, as ^C does",
        "o  open in the browser   Esc  show all        ^Z suspend",
        "After r, b, f, m and o type the beginning of a name, or choose with Tab; Enter takes it, Esc does not.",
    ]

    // MARK: Text

    /// The line, never wider than `width` columns, without control characters but for colours.
    func text(width: Int, colours: Bool) -> String {
        let parts = choice.map { self.parts($0, width) } ?? fitted(to: width)
        return Self.joined(parts, width: width, colours: colours)
    }

    private typealias Part = (text: String, style: Style)

    /// All that can be chosen, but for the first ones where the chosen one would be out of sight.
    private func parts(_ choice: Choice, _ width: Int) -> [Part] {
        let question: [Part] = [("\(choice.verb.name): ", .bold), (choice.typed + "_", .plain)]
        let names = candidates(choice).enumerated().map { place, name -> [Part] in
            let isMuted = choice.verb == .mute && filter.muted.contains(name)
            let text = isMuted ? "\(name) (muted)" : name
            return [("  ", .plain), place == choice.place ? ("[\(text)]", .bold) : (text, .dim)]
        }
        let upToChosen = question + names.prefix(choice.place + 1).joined()
        let isSeen = Self.width(of: upToChosen) < width || choice.place == 0
        return question + (isSeen ? [] : [("  …", .dim)]) + names.dropFirst(isSeen ? 0 : choice.place).joined()
    }

    private static func width(of parts: [Part]) -> Int { parts.reduce(0) { $0 + DisplayWidth.of($1.text) } }

    /// As much as there is room for: every service with its state; ready ones without the word; ready ones as a number.
    private func fitted(to width: Int) -> [Part] {
        let hint: [Part] = [("  ? help", .dim)]
        let forms = [Form.whole, .short, .counted].map { parts($0) }
        let fits = { (parts: [Part]) in Self.width(of: parts) <= width }
        for form in forms where fits(form + hint) { return form + hint }
        return forms.first(where: fits) ?? forms[forms.count - 1]
    }

    private enum Form { case whole, short, counted }

    private func parts(_ form: Form) -> [Part] {
        var parts: [Part] = []
        func add(_ text: String, _ style: Style = .plain) { parts.append((text, style)) }
        if let only = filter.only { add("only \(only)  ", .bold) }
        var shown = services
        if form == .counted {
            let ready = services.count { $0.state == "ready" }
            shown = services.filter { $0.state != "ready" }
            if ready > 0 {
                add("●", Style(state: "ready"))
                add(" \(ready) ready")
            }
        }
        for service in shown {
            let isMuted = filter.only == nil && filter.muted.contains(service.name)
            let style = Style(state: service.state)
            if !parts.isEmpty, parts.last?.style != .bold { add("  ") }
            add(service.name, isMuted ? .dim : .plain)
            add(" \(Self.mark(service.state))", style)
            if form == .whole || form == .short && service.state != "ready" { add(" \(service.state)", style) }
            if form == .counted { add(" \(service.state)", style) }
            if isMuted { add(" (muted)", .dim) }
        }
        return parts
    }

    private static func mark(_ state: String) -> String {
        switch Style(state: state) {
        case .green: "●"
        case .yellow: "◌"
        case .red: "✕"
        default: "○"
        }
    }

    private static func joined(_ parts: [Part], width: Int, colours: Bool) -> String {
        var room = width
        var line = ""
        for (place, part) in parts.enumerated() {
            let needed = DisplayWidth.of(part.text) + (place == parts.count - 1 ? 0 : 1)
            let text = needed <= room ? part.text : DisplayWidth.truncate(part.text + "…", to: room)
            line += part.style.apply(to: text, colours: colours)
            if needed > room { break }
            room -= DisplayWidth.of(text)
        }
        return line
    }
}
