/// `${}`.
extension Sentence {
    static let unclosedReference = Sentence(
        expected: "a closing }", found: "the end of the text", mend: "Close it, or write $$ for a dollar")

    static func malformedReference(_ text: String) -> Sentence {
        Sentence(
            expected: "${NAME} or ${NAME:-default}", found: "${\(text)}",
            mend: "Write one of these, or $$ for a dollar")
    }

    static func bareReference(_ name: String) -> Sentence {
        Sentence(
            expected: "${\(name)} or a dollar as $$", found: "$\(name), which stays as it is",
            mend: "Write ${\(name)} for its value, or $$\(name)")
    }

    static func unset(_ name: String, isSetLater: Bool) -> Sentence {
        Sentence(
            expected: "a variable that is set", found: "\(name), which is not",
            mend: isSetLater
                ? "It is set further down: move it up"
                : "Set it before \"devmesh up\", or write ${\(name):-default}")
    }

    static func notInjectedHere(_ name: String, _ why: String) -> Sentence {
        Sentence(
            expected: "a variable that is known here", found: "\(name), \(why)",
            mend: "Remove it here; \"devmesh env SERVICE\" lists what a service gets")
    }
}

/// `remote`.
extension Sentence {
    static let remoteForm = "an http, https or tcp URL, such as \"https://members.staging.example.com\""

    static func wrongURL(_ text: String, _ mend: String) -> Sentence {
        Sentence(expected: remoteForm, found: text.isEmpty ? "an empty text" : quoted(text), mend: mend)
    }

    static func credentialsNotYet(_ text: String) -> Sentence {
        Sentence(
            expected: "a URL without user and password", found: quoted(text),
            mend: "Credentials for remotes are not yet done by devmesh: remove them")
    }

    static let remoteWithoutURL = Sentence(
        expected: "the key \"url\"", found: "none", mend: "Add \"url\": \"https://…\"")

    static func wrongHostHeader(_ text: String) -> Sentence {
        Sentence(
            expected: "a host name, with a port if it needs one", found: quoted(text),
            mend: "Write it without a scheme and path, such as \"members.example.com\"")
    }
}

/// envFiles.
extension Sentence {
    static func unreadableFile(_ path: String, _ reason: String) -> Sentence {
        Sentence(
            expected: "a file that can be read", found: "\(quoted(path)): \(reason)",
            mend: "Create it, or mend the path, which is relative to the manifest")
    }

    static func noAssignment(_ name: String?) -> Sentence {
        Sentence(
            expected: "NAME=value", found: name.map { "\($0) without =" } ?? "a line without =",
            mend: "Write NAME=value, or # before a comment")
    }

    static func wrongVariableInFile(_ name: String) -> Sentence {
        Sentence(
            expected: "a variable name before =", found: name.isEmpty ? "none" : quoted(name),
            mend: "Use letters, digits and _, no digit first and no space before =")
    }

    static func unclosedQuote(_ quote: String, of name: String) -> Sentence {
        Sentence(
            expected: "a closing \(quote) for \(name)", found: "the end of the file",
            mend: "Close it, or escape a \" within double quotes as \\\"")
    }

    /// - Parameter line: where the value began, if not on this line.
    static func textAfterQuote(of name: String, from line: Int?) -> Sentence {
        Sentence(
            expected: "the end of the line after the quoted value of \(name)",
            found: "more text" + (line.map { " (the value began on line \($0))" } ?? ""),
            mend: "Put all of it in quotes, or # before a comment")
    }

    static func notText(_ what: String) -> Sentence {
        Sentence(expected: "UTF-8 text without NUL", found: what, mend: "Save the file as UTF-8")
    }
}
