import Platform

/// Files of the repository's `Fixtures` folder.
public enum Fixtures {
    /// The folder itself.
    public static let path = Path.join(Path.parent(#filePath), "../../Fixtures")

    public static func text(_ name: String) -> String {
        String(decoding: bytes(name), as: UTF8.self)
    }

    public static func bytes(_ name: String) -> [UInt8] { try! Kernel.real.readFile(Path.join(path, name)) }

    /// The names in a folder of it that end with `suffix`, sorted.
    public static func names(in folder: String, suffix: String = "") -> [String] {
        ((try? Kernel.real.list(Path.join(path, folder))) ?? []).filter { $0.hasSuffix(suffix) }
    }
}
