import Control

/// What `devmesh why` says to people.
enum WhyText {
    static func lines(_ why: ServiceWhy, colours: Bool) -> [String] {
        let state = Style(state: why.state).apply(to: why.state, colours: colours)
        var lines = ["\(why.service) is \(state)"]
        lines += (([why.reason].compactMap { $0 }) + why.details).map { "  " + OneLine.of($0) }
        if !why.lastLines.isEmpty {
            lines += ["", Style.dim.apply(to: "Its last lines:", colours: colours)]
            lines += why.lastLines.map { "  | " + OneLine.of($0) }
        }
        return lines
    }
}
