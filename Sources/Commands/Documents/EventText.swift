import Control

/// A line of `devmesh events` for people: `09:30:00.250  reader  ready`.
enum EventText {
    static func line(_ event: MeshEvent, colours: Bool) -> String {
        // The time of day is enough on a terminal; `--json` has it whole.
        let clock = event.time.split(separator: "T").last.map { String($0.prefix(12)) } ?? event.time
        let who = event.instance ?? event.service ?? "mesh"
        var line = Style.dim.apply(to: clock, colours: colours) + "  " + pad(who, 12)
        line += "  " + Style(state: event.event).apply(to: event.event, colours: colours)
        if let detail = event.detail { line += "  " + OneLine.of(detail) }
        return line
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
    }
}
