import Platform

/// A table for people: the first column to the left, the others to the right.
struct Table {
    private let widths: [Int]

    /// Prints the head.
    init(_ titles: [String], widths: [Int]) {
        self.widths = widths
        row(titles)
    }

    func row(_ cells: [String]) {
        var line = " "
        for (index, cell) in cells.enumerated() {
            let blanks = String(repeating: " ", count: max(widths[index] - cell.count, 0))
            line += " " + (index == 0 ? cell + blanks : blanks + cell)
        }
        print(line)
    }
}

/// A figure that the project wants to reach, and whether it did.
func verdict(_ figure: String, isMet: Bool) {
    print("  \(isMet ? "met:    " : "NOT MET:") \(figure)")
}

/// The middle one; of an even number the lower.
func median<T: Comparable>(_ values: [T]) -> T { values.sorted()[(values.count - 1) / 2] }

extension Duration {
    var milliseconds: Double { Double(nanoseconds) / 1_000_000 }
    var inSeconds: Double { Double(nanoseconds) / 1_000_000_000 }
}

/// `3.1 ms`.
func shown(_ duration: Duration) -> String { "\(rounded(duration.milliseconds)) ms" }

/// `310.5 us`, for what takes less than a few milliseconds.
func microseconds(_ duration: Duration) -> String { "\(rounded(duration.milliseconds * 1000)) us" }

/// With `digits` behind the point; without the C library's `printf`.
func rounded(_ value: Double, digits: Int = 1) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let whole = Int((value * Double(scale)).rounded())
    let fraction = String(whole.magnitude % UInt(scale))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(whole < 0 ? "-" : "")\(whole.magnitude / UInt(scale)).\(zeros)\(fraction)"
}

/// Lets `duration` pass.
func pause(_ duration: Duration) { _ = PlatformSemaphore().wait(within: duration) }
