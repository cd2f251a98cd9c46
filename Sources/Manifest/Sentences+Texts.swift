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
            mend: "Write an object with \"url\", and \"headers\" with {\"authorization\": \"Basic …\"}")
    }

    static let remoteWithoutURL = Sentence(
        expected: "the key \"url\"", found: "none", mend: "Add \"url\": \"https://…\"")

    static func wrongHostHeader(_ text: String) -> Sentence {
        Sentence(
            expected: "a host name, with a port if it needs one", found: quoted(text),
            mend: "Write it without a scheme and path, such as \"members.example.com\"")
    }
}

/// What a remote is spoken with by.
extension Sentence {
    static let headersOfTCP = Sentence(
        expected: "an http or https URL beside \"headers\"", found: "a tcp URL", mend: "TCP has no headers: remove them"
    )

    static let tlsOfHTTP = Sentence(
        expected: "an https URL beside \"tls\"", found: "an http URL", mend: "Write https://, or remove \"tls\"")

    static func sameHeader(_ name: String, as other: String) -> Sentence {
        Sentence(
            expected: "names that differ by more than case", found: "\(quoted(name)) beside \(quoted(other))",
            mend: "Remove one of the two")
    }

    static func ownHeader(_ name: String) -> Sentence {
        Sentence(
            expected: "a header that devmesh does not set itself", found: quoted(name),
            mend: name.lowercased() == "host" ? "Use \"host\" of the remote" : "Remove it")
    }

    static let wrongHeaderValue = Sentence(
        expected: "a header's value on one line", found: "a line end or another control character",
        mend: "Remove it; a value from a file or variable may end with one")

    static func wrongServerName(_ text: String) -> Sentence {
        Sentence(
            expected: "a host name or an IP address, without a port", found: quoted(text),
            mend: "Write the name that the server's certificate is for")
    }

    static let keyWithoutCertificate = Sentence(
        expected: "\"cert\" beside \"key\"", found: "none",
        mend: "Add \"cert\" with the certificate that the key belongs to")

    static func insecure(_ service: String) -> Sentence {
        Sentence(
            expected: "a server that proves who it is", found: "true",
            mend:
                "Whoever is on the way can read and change what \(service) is sent: name the issuer's PEM file in \"ca\""
        )
    }

    static func wrongTLSFile(_ fault: TLSFileFault) -> Sentence {
        Sentence(expected: fault.expected, found: fault.found, mend: fault.mend)
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
