extension Sentences {
    static func attachNeedsTerminal(_ service: String) -> String {
        "`devmesh attach` connects a terminal, and here is none; `devmesh logs -f \(service)` only reads."
    }

    static func attached(_ instance: String) -> String { "Attached to \(instance); ctrl-P ctrl-Q detaches." }

    static func detachedFrom(_ instance: String) -> String { "Detached from \(instance)." }
}
