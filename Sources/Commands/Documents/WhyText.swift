import Control

/// What `devmesh why` says to people.
enum WhyText {
    static func lines(_ why: ServiceWhy, colours: Bool) -> [String] {
        let state = Style(state: why.state).apply(to: why.state, colours: colours)
        let reason = why.reason.map { ": " + OneLine.of($0) } ?? ""
        var lines = ["\(why.service) is \(state)\(reason)"]
        lines += why.details.map { "  " + OneLine.of($0) }
        if !why.lastLines.isEmpty {
            lines += ["", Style.dim.apply(to: "Its last lines:", colours: colours)]
            lines += why.lastLines.map { "  | " + OneLine.of($0) }
        }
        return lines
    }
}
