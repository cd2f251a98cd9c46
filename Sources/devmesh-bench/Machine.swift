import Platform

/// The machine that the figures were taken on.
enum Machine {
    /// `Intel(R) Xeon(R) Processor, 2 cores, Linux 6.1.0-18-amd64`, as far as the system tells.
    static var description: String {
        let processors = lines("/proc/cpuinfo").filter { $0.hasPrefix("processor") }.count
        let model = lines("/proc/cpuinfo").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let kernel = lines("/proc/sys/kernel/osrelease").first.map { "Linux \($0)" }
        let name = model.map { trimmed($0) } ?? "a processor without a name"
        return "\(name), \(processors) cores, \(kernel ?? "unknown system")"
    }

    private static func lines(_ path: String) -> [Substring] {
        guard let bytes = try? Kernel.real.readFile(path) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}

/// Without blanks and tabs at both ends.
func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return String(text)
}
