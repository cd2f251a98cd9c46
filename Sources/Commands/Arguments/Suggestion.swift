import Manifest

/// Did-you-mean.
enum Suggestion {
    static func nearest(to name: String, among names: some Sequence<String>) -> String? { nil }
}
