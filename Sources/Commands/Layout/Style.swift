/// The few colours that devmesh uses of its own; the 16 basic ones, which follow the terminal's theme.
enum Style: String, Sendable {
    case plain = ""
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"

    /// `text` in this style, where `colours` says that the reader wants any.
    func apply(to text: String, colours: Bool) -> String {
        colours && self != .plain ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Of a state of contract §6.
    init(state: String) {
        switch state {
        case "ready": self = .green
        case "pending", "building", "starting", "stopping": self = .yellow
        case "failed", "unready", "unreachable": self = .red
        default: self = .dim
        }
    }
}
