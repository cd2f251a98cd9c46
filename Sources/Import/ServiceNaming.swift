/// Names for services that were named by another tool's rules.
enum ServiceNaming {
    /// The nearest name that a manifest takes (contract §1); the name itself where it does.
    static func name(for text: String) -> String {
        var name = ""
        for scalar in text.unicodeScalars.prefix(60) {
            name.unicodeScalars.append(isPlain(scalar) ? scalar : "-")
        }
        if name.isEmpty || "._-".contains(name.prefix(1)) || name.hasPrefix("x-") { name = "s" + name }
        if ["dns", "callback"].contains(name.lowercased()) { name += "-service" }
        // `reader.1` is an instance of reader.
        if let dot = name.lastIndex(of: "."), name[dot...].dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) {
            name.replaceSubrange(dot...dot, with: "-")
        }
        return name
    }

    /// Whether a shell and a path take the name as it is.
    static func isPlain(_ name: String) -> Bool { !name.hasPrefix("-") && name.unicodeScalars.allSatisfy(isPlain) }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
        default: false
        }
    }
}
