import HTTP

/// What a front says in a service's stead: a whole HTTP/1.1 response, after which the connection closes.
struct Answer: Equatable {
    /// 503 where the service can't be used now, 502 where its remote failed.
    var status = 503
    var service: String
    /// One or two sentences: what, why, what to do next.
    var reason: String
    /// What the service wrote last, oldest first.
    var lastLines: [String] = []

    /// The forms in which it can be said.
    enum Form: Equatable {
        case html, text, json
    }

    /// The bytes of the response; `withBody` is false for HEAD.
    func response(_ form: Form, withBody: Bool = true) -> [UInt8] {
        let body =
            switch form {
            case .html: Array(html.utf8)
            case .text: Array(text.utf8)
            case .json: Array(json.utf8)
            }
        let type =
            switch form {
            case .html: "text/html; charset=utf-8"
            case .text: "text/plain; charset=utf-8"
            case .json: "application/json"
            }
        var head = "HTTP/1.1 \(status) \(reasonPhrase(status))\r\n"
        head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\nCache-Control: no-store\r\n"
        if status == 503 { head += "Retry-After: 1\r\n" }
        // The page runs nothing and loads nothing, whatever the log lines hold.
        if form == .html { head += "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n" }
        head += "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        return Array(head.utf8) + (withBody ? body : [])
    }

    private var html: String {
        var page = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>"
        page += "\(escaped(service)): \(status)</title>\n"
        page += "<style>body{font:16px/1.5 system-ui,sans-serif;margin:3em auto;max-width:50em;padding:0 1em}"
        page += "pre{background:#f4f4f4;color:#222;padding:1em;overflow:auto}</style></head>\n"
        page += "<body>\n<h1>\(escaped(service))</h1>\n<p>\(escaped(reason))</p>\n"
        if !lastLines.isEmpty {
            page += "<h2>Last lines</h2>\n<pre>\(lastLines.map(escaped).joined(separator: "\n"))</pre>\n"
        }
        return page + "<p><small>Answered by devmesh.</small></p>\n</body>\n</html>\n"
    }

    private var text: String {
        var page = "\(service): \(reason)\n"
        if !lastLines.isEmpty {
            page += "\nLast lines:\n" + lastLines.map { "  \(printable($0))\n" }.joined()
        }
        return page
    }

    private var json: String {
        let code = status == 502 ? "remote_failed" : "service_unavailable"
        var document = "{\"error\": {\"code\": \"\(code)\", \"message\": \(jsonString(reason))}, "
        document += "\"service\": \(jsonString(service)), \"lastLines\": ["
        document += lastLines.map(jsonString).joined(separator: ", ")
        return document + "]}\n"
    }
}

extension Answer.Form {
    /// Chooses what the client likes best by its `Accept` (RFC 9110 §12.5.1).
    ///
    /// People's programs name what they want (`text/html`, `text/plain`); who takes anything, or JSON, is a program.
    init(accepting values: [String]) {
        var best: (form: Answer.Form, quality: Int) = (.json, 0)
        for range in values.joined(separator: ",").split(separator: ",") {
            let parts = range.split(separator: ";").map(trimmed)
            guard let type = parts.first?.lowercased(), let form = Answer.Form(mediaRange: type) else { continue }
            let quality =
                parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }
                .map { thousandths($0.dropFirst(2)) } ?? 1000
            // Of equals the first named wins, and a named type wins over "*/*".
            if quality > best.quality { best = (form, quality) }
        }
        self = best.form
    }

    private init?(mediaRange type: String) {
        switch type {
        case "text/html", "application/xhtml+xml": self = .html
        case "text/plain", "text/*": self = .text
        case "*/*", "application/*": return nil
        default:
            guard type == "application/json" || type.hasSuffix("+json") else { return nil }
            self = .json
        }
    }
}

/// A quality value as thousandths: `0.8` is 800; what is none counts as 0.
private func thousandths(_ text: Substring) -> Int {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard let whole = Int(parts.first ?? ""), (0...1).contains(whole) else { return 0 }
    let digits = parts.count > 1 ? String(parts[1].prefix(3)) : ""
    let fraction = Int(digits + String(repeating: "0", count: 3 - digits.count)) ?? 0
    return min(whole * 1000 + fraction, 1000)
}

private func trimmed(_ text: Substring) -> String {
    var rest = text
    while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
    while rest.last == " " || rest.last == "\t" { rest.removeLast() }
    return String(rest)
}

/// The text for HTML: what could be markup escaped, control characters shown as pictures.
private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in printable(text).unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// The text without what would steer a terminal: colours are dropped, other control characters become pictures.
private func printable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
        if scalar == "\u{1b}", rest.first == "[" {
            let parameters = rest.dropFirst().prefix { (0x20...0x3f).contains($0.value) }
            let behind = rest[parameters.endIndex...]
            if behind.first == "m" {
                rest = behind.dropFirst()
                continue
            }
        }
        switch scalar.value {
        case 0x09: result.append(scalar)
        case 0..<0x20: result.append(Unicode.Scalar(0x2400 + scalar.value)!)
        case 0x7f...0x9f: result.append("\u{2421}")
        default: result.append(scalar)
        }
    }
    return String(result)
}

/// A JSON string (RFC 8259 §7).
private func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        default:
            if scalar.value < 0x20 || scalar.value == 0x7f {
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
    return result + "\""
}
