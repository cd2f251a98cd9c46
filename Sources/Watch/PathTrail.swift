import Platform

/// Where a path leads, and the entries of folders that decide it. Whoever watches these learns when it comes to lead
/// elsewhere.
///
///     /app/current/src, with current → releases/5: /app ("current"), and then the folder /app/releases/5/src
struct PathTrail {
    /// An entry that may come to be another: a link, what is missing, or a file that is the end of the path.
    struct Turn: Equatable {
        var folder: String
        var name: String
    }

    private(set) var turns: [Turn] = []
    /// What is at the end; nil where nothing is there.
    private(set) var end: FileStatus?
    /// The end without links.
    private(set) var place = "/"

    /// As many as Linux follows (path_resolution(7)).
    private static let mostLinks = 40

    /// - Parameter path: absolute.
    init(_ path: String, _ kernel: Kernel) {
        var left = Array(path.split(separator: "/").reversed().map(String.init))
        var links = 0
        end = kernel.linkStatus(place)
        while let part = left.popLast() {
            if part == "." { continue }
            if part == ".." {
                place = Path.parent(place)
                continue
            }
            let turn = Turn(folder: place, name: part)
            let next = Path.join(place, part)
            end = kernel.linkStatus(next)
            if end?.kind == .other, links < Self.mostLinks, let target = kernel.linkTarget(next) {
                links += 1
                turns.append(turn)
                if target.hasPrefix("/") { place = "/" }
                left += target.split(separator: "/").reversed().map(String.init)
                continue
            }
            if end?.kind != .directory {
                turns.append(turn)
                // A file in the way is none that the path names.
                if !left.isEmpty { end = nil }
            }
            guard end != nil else { return }
            place = next
        }
    }

    /// Whether it leads to the same place; what is in a file there may differ.
    func leads(as other: Self) -> Bool {
        turns == other.turns && place == other.place && end?.kind == other.end?.kind && end?.inode == other.end?.inode
    }

    /// Whether an entry is the file that the path leads to.
    func isEnd(_ turn: Turn) -> Bool { end != nil && end?.kind != .directory && turns.last == turn }
}
