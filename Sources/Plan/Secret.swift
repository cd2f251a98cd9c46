/// Tells whether an inherited variable is one to mask: by its name, or because its value is a URL with a password
/// (contract §7, rule 6). Those of the manifest carry their own answer.
func looksSecret(name: String, value: String) -> Bool {
    let name = name.uppercased()
    if ["TOKEN", "SECRET", "PASSW", "KEY", "CREDENTIAL"].contains(where: { name.contains($0) }) { return true }
    // scheme://user:password@host
    guard value.utf8.contains(UInt8(ascii: "@")), let scheme = value.range(ofFirst: "://") else { return false }
    let authority = value[scheme...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard let at = authority.lastIndex(of: "@") else { return false }
    return authority[..<at].contains(":")
}

extension String {
    /// Where what follows the first `separator` begins.
    fileprivate func range(ofFirst separator: String) -> Index? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(separator) { return self.index(index, offsetBy: separator.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
