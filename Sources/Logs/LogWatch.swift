import EventLoop

/// A line that someone waits for, as `ready: {log}` does.
public struct LogWatchRequest: Sendable {
    var pattern: LogPattern
    var remote: LoopRemote
    var onMatch: @Sendable (EventLoop) -> Void

    /// - Parameter onMatch: called once, on `remote`'s loop, when a line of stdout or stderr matches.
    public init(_ pattern: LogPattern, on remote: LoopRemote, onMatch: @escaping @Sendable (EventLoop) -> Void) {
        self.pattern = pattern
        self.remote = remote
        self.onMatch = onMatch
    }
}

/// Looks at the lines of one instance until one matches; belongs to the log loop.
final class LogWatch {
    private var request: LogWatchRequest?
    private var matcher: LineMatcher?
    /// What there is of a line that comes in pieces, per stream.
    private var pieces: [LogStream: [UInt8]] = [:]

    init(_ request: LogWatchRequest) {
        self.request = request
        matcher = LineMatcher(request.pattern)
    }

    var isWaiting: Bool { request != nil }

    func look(at line: UnsafeRawBufferPointer, _ mark: LineMark, _ stream: LogStream) {
        if mark == .whole || mark == .cut { return test(line) }
        var joined = mark.begins ? [] : pieces[stream] ?? []
        joined.append(contentsOf: line)
        joined.withUnsafeBytes { test($0) }
        pieces[stream] = mark.hasMore && joined.count <= LineSplitter.longest ? joined : nil
    }

    private func test(_ line: UnsafeRawBufferPointer) {
        guard let request, let matcher, matcher.matches(line) else { return }
        self.request = nil
        self.matcher = nil
        pieces = [:]
        request.remote.post(request.onMatch)
    }
}
