import Logs
import Supervisor

/// Whose pipes are being read, and who waits for a line of them.
struct Outputs {
    private var sources: [OutputSource: [LogHub.Source]] = [:]
    private var watches: [OutputSource: LogWatchRequest] = [:]

    /// Remembers a line to wait for, until the source is attached.
    mutating func expect(_ source: OutputSource, _ watch: LogWatchRequest) { watches[source] = watch }

    mutating func takeWatch(_ source: OutputSource) -> LogWatchRequest? { watches.removeValue(forKey: source) }

    mutating func add(_ source: OutputSource, _ hub: LogHub.Source) { sources[source, default: []].append(hub) }

    mutating func remove(_ source: OutputSource) -> [LogHub.Source] {
        watches[source] = nil
        return sources.removeValue(forKey: source) ?? []
    }
}
