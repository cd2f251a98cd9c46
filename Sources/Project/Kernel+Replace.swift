import Platform

extension Kernel {
    /// Replaces a file so that readers see the old or the new content. Unlike `replaceFile` it need not outlive a
    /// crash of the machine, and so doesn't wait for the disk. One process at a time may do it.
    func replaceBriefly(_ path: String, with text: String) throws(Errno) {
        let beside = path + ".new"
        let file = try open(beside, .truncate)
        try writeAll(file, text)
        try rename(beside, to: path)
    }
}
