import Platform

/// What of the disk somebody wants to be told of.
public struct WatchRequest: Sendable, Equatable {
    /// Absolute; the others are relative to it, and so are the paths that are told.
    public var folder: String
    /// Folders with all that is below, files, and patterns such as `src/**/*.c`.
    public var paths: [String]
    /// Absolute, and nothing in them is a pattern.
    public var files: [String]
    /// As in a .gitignore. It goes before what .gitignores say, and before what is left out by itself.
    public var ignore: [String]
    /// Absolute: files that somebody else looks after.
    public var without: Set<String>
    /// How long nothing more must change before a change is told.
    public var debounce: Duration
    /// Whether programs and libraries that a build has made don't count: nobody edits these.
    public var leavesOutPrograms: Bool

    public init(
        folder: String, paths: [String] = ["."], files: [String] = [], ignore: [String] = [],
        without: Set<String> = [], debounce: Duration = .milliseconds(200), leavesOutPrograms: Bool = false
    ) {
        self.folder = folder
        self.paths = paths
        self.files = files
        self.ignore = ignore
        self.without = without
        self.debounce = debounce
        self.leavesOutPrograms = leavesOutPrograms
    }
}

/// Files that have changed, one after another without a pause.
public struct WatchChange: Sendable, Equatable {
    /// Some of them, relative to the request's folder where they are in it; the first is the one that changed first.
    public var paths: [String]
    /// How many besides.
    public var others: Int
    public var first: Instant
    public var last: Instant

    public init(paths: [String], others: Int = 0, first: Instant, last: Instant) {
        self.paths = paths
        self.others = others
        self.first = first
        self.last = last
    }

    /// `src/main.c`, `src/main.c and 3 others`.
    public var summary: String {
        let rest = others + max(paths.count - 1, 0)
        guard let path = paths.first else { return "something" }
        return path + (rest == 0 ? "" : rest == 1 ? " and another" : " and \(rest) others")
    }
}

/// What has changed of one request and has not been told yet: until nothing more changes for a while.
struct PendingChange {
    /// More are counted only.
    static let mostPaths = 32
    /// What never pauses is told nevertheless, after so many debounces.
    private static let patience = 20

    private let first: Instant
    private(set) var last: Instant
    private var paths: [String] = []
    /// Those of `paths`, and whether nothing was there before.
    private var known: [String: Bool] = [:]
    private var others = 0
    private var latest = ""

    init(_ path: String, isNew: Bool = false, at now: Instant) {
        first = now
        last = now
        add(path, isNew: isNew, at: now)
    }

    mutating func add(_ path: String, isNew: Bool = false, at now: Instant) {
        last = now
        // Most come twice in a row: made, and written.
        if path == latest || known[path] != nil { return }
        latest = path
        if paths.count == Self.mostPaths {
            others += 1
        } else {
            paths.append(path)
            known[path] = isNew
        }
    }

    /// When it is to be told if nothing more comes.
    func due(_ debounce: Duration) -> Instant { min(last + debounce, first + debounce * Self.patience) }

    /// - Parameters:
    ///   - folder: paths in it are told relative to it.
    ///   - counts: whether a path does, which may have been new; asked only while all are known.
    /// - Returns: nil where none is left.
    func change(in folder: String, where counts: (String, _ wasNew: Bool) -> Bool) -> WatchChange? {
        let kept = others == 0 ? paths.filter { counts($0, known[$0] == true) } : paths
        guard !kept.isEmpty else { return nil }
        let prefix = folder == "/" ? folder : folder + "/"
        let shown = kept.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
        return WatchChange(paths: shown, others: others, first: first, last: last)
    }
}
