import CPlatform

/// Where control groups can be made.
struct ControlGroupFinder {
    var kernel = Kernel.real
    /// What the kernel says of this process.
    var process = "/proc/self"
    /// Where the groups usually are: alone, and beside those of version 1.
    var places = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
    /// Whether a folder is a group of version 2.
    var isGroup: (String) -> Bool = { cp_is_control_group($0) != 0 }

    /// The folder of this process's own group where its user may make others in it; nil elsewhere.
    ///
    /// Where it limits memory or processors it is nil as well: programs look for their limits in the group that they are
    /// in, and one within it would have no files that tell them.
    func delegated() -> String? {
        guard let list = try? kernel.readFile(process + "/cgroup"), let group = Self.path(in: list) else { return nil }
        // Most users may not, which is soon seen where the groups usually are.
        for place in places where isGroup(place) {
            let folder = Path.join(place, "." + group)
            guard kernel.status(folder) != nil else { continue }
            if kernel.refusal(toWriteIn: folder) != nil { return nil }
        }
        guard let mounts = try? kernel.readFile(process + "/mountinfo") else { return nil }
        return Self.folders(of: group, in: mounts).first { folder in
            isGroup(folder) && kernel.refusal(toWriteIn: folder) == nil
                // Else nobody can be moved out of it, nor made beside it.
                && kernel.refusal(toWrite: folder + "/cgroup.procs") == nil && !isLimited(folder)
        }
    }

    private func isLimited(_ folder: String) -> Bool {
        ["memory.max", "cpu.max"].contains { name in
            (try? kernel.readFile(folder + "/" + name)).map { !$0.starts(with: "max".utf8) } ?? false
        }
    }

    /// The group of version 2 in what /proc/PID/cgroup says, seen from the root of its namespace; nil where there is none.
    static func path(in list: [UInt8]) -> String? {
        let line = String(decoding: list, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("0::/") }
        return line.map { String($0.dropFirst(3)) }
    }

    /// The folders where a group can be seen, by /proc/PID/mountinfo (proc_pid_mountinfo(5)).
    static func folders(of group: String, in mounts: [UInt8]) -> [String] {
        String(decoding: mounts, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count > 9, let dash = words.dropFirst(6).firstIndex(of: "-"), dash + 1 < words.endIndex,
                words[dash + 1] == "cgroup2"
            else { return nil }
            // Of a mount that shows a part of the tree: which.
            let (root, place) = (unescaped(words[3]), unescaped(words[4]))
            let base = root == "/" ? "" : root
            guard group == base || group.hasPrefix(base + "/") else { return nil }
            let rest = group.dropFirst(base.count)
            // It lies outside of what the mount shows, as the group of who was moved out of its namespace.
            guard !rest.split(separator: "/").contains("..") else { return nil }
            return rest == "" || rest == "/" ? place : (place == "/" ? "" : place) + rest
        }
    }

    /// `\040` and its like are what would end a word.
    private static func unescaped(_ word: Substring) -> String {
        guard word.utf8.contains(UInt8(ascii: "\\")) else { return String(word) }
        var bytes: [UInt8] = []
        var rest = word.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(Substring(rest.prefix(3))), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What cgroup.events says.
    static func isPopulated(_ events: [UInt8]) -> Bool? {
        let line = String(decoding: events, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("populated ") }
        return line.map { !$0.hasSuffix(" 0") }
    }
}

extension ControlGroup {
    /// The group of this process in which its user may make others, as a folder; nil where there is none.
    public static func delegated(kernel: Kernel = .real) -> String? { ControlGroupFinder(kernel: kernel).delegated() }

    /// Whether the system has such things at all.
    public static func areKnown(kernel: Kernel = .real) -> Bool { kernel.status("/proc/self/cgroup") != nil }
}
