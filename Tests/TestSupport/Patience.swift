import Platform

/// How long a test waits for what should happen. Limits are generous, since only what fails waits for all of one;
/// `TEST_PATIENCE=5` makes them five times as long, for sanitizers and machines with much else to do.
public func patience(_ limit: Duration) -> Duration { limit * factor }

private let factor = ThisProcess.environment["TEST_PATIENCE"].flatMap { Int($0) } ?? 1
