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
    /// Absolute and without links: files that somebody else looks after.
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
    /// At most so many are named.
    static let mostPaths = 32

    /// Some of them, relative to the request's folder where they are in it; the first is the one that changed first.
    public var paths: [String]
    /// How many besides.
    public var others: Int
    /// When they were changed, by the clock of files, however late that was found.
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
        guard let path = paths.first else { return "\(others) files" }
        let rest = others + paths.count - 1
        return path + (rest == 0 ? "" : rest == 1 ? " and another" : " and \(rest) others")
    }
}

/// What has changed of one request and has not been told yet: until nothing more changes for a while.
struct PendingChange {
    private struct File {
        var path: String
        /// Whether nothing was there before.
        var isNew: Bool
        var noticed: Instant
    }

    /// More are counted only.
    private static let mostFiles = 1000
    /// What never pauses is told nevertheless, after so many debounces.
    private static let patience = 20

    private let first: Instant
    private var last: Instant
    private var files: [File] = []
    private var places: [String: Int] = [:]
    private var others = 0
    private var latest = ""

    init(_ path: String, isNew: Bool = false, at now: Instant) {
        first = now
        last = now
        add(path, isNew: isNew, at: now)
    }

    mutating func add(_ path: String, isNew: Bool = false, at now: Instant) {
        last = now
        if let place = places[path] {
            files[place].noticed = now
        } else if files.count < Self.mostFiles {
            places[path] = files.count
            files.append(File(path: path, isNew: isNew, noticed: now))
        } else if path != latest {
            // Most come twice in a row: made, and written.
            latest = path
            others += 1
        }
    }

    /// When it is to be told if nothing more comes.
    func due(_ debounce: Duration) -> Instant { min(last + debounce, first + debounce * Self.patience) }

    /// - Parameters:
    ///   - folder: paths in it are told relative to it.
    ///   - changed: when a file was changed, nil where it does not count; asked with when that was noticed.
    /// - Returns: nil where none is left.
    func change(
        in folder: String, changed: (_ path: String, _ isNew: Bool, _ noticed: Instant) -> Instant?
    ) -> WatchChange? {
        let kept = files.compactMap { file in
            changed(file.path, file.isNew, file.noticed).map { (path: file.path, time: $0) }
        }
        guard !kept.isEmpty || others > 0 else { return nil }
        let prefix = folder == "/" ? folder : folder + "/"
        let named = kept.prefix(WatchChange.mostPaths).map { file in
            file.path.hasPrefix(prefix) ? String(file.path.dropFirst(prefix.count)) : file.path
        }
        let times = kept.map { $0.time } + (others > 0 ? [last] : [])
        return WatchChange(
            paths: named, others: others + kept.count - named.count, first: times.min() ?? first,
            last: times.max() ?? last)
    }
}
