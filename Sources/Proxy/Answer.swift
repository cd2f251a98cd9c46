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
            case .html: html
            case .text: text
            case .json: json
            }
        return Answer.response(status, form, body, withBody: withBody)
    }

    /// The same of any document.
    static func response(_ status: Int, _ form: Form, _ text: String, withBody: Bool) -> [UInt8] {
        let body = Array(text.utf8)
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
        var page = Answer.pageHead("\(service): \(status)")
        page += "<body>\n<h1>\(escaped(service))</h1>\n<p>\(escaped(reason))</p>\n"
        if !lastLines.isEmpty {
            page += "<h2>Last lines</h2>\n<pre>\(lastLines.map(escaped).joined(separator: "\n"))</pre>\n"
        }
        return page + "<p><small>Answered by devmesh.</small></p>\n</body>\n</html>\n"
    }

    /// The beginning of a page, up to its body.
    static func pageHead(_ title: String) -> String {
        var page = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>"
        page += "\(escaped(title))</title>\n"
        page += "<style>body{font:16px/1.5 system-ui,sans-serif;margin:3em auto;max-width:50em;padding:0 1em}"
        return page + "pre{background:#f4f4f4;color:#222;padding:1em;overflow:auto}</style></head>\n"
    }

    private var text: String {
        var page = "\(service): \(reason)\n"
        if !lastLines.isEmpty {
            page += "\nLast lines:\n" + lastLines.map { "  \(printable($0))\n" }.joined()
        }
        return page
    }

    private var json: String {
        let code =
            switch status {
            case 403: "forbidden"
            case 400..<500, 501: "bad_request"
            case 502: "remote_failed"
            case 504: "timed_out"
            case 508: "loop_detected"
            default: "service_unavailable"
            }
        var document = "{\"error\": {\"code\": \"\(code)\", \"message\": \(jsonString(reason))}, "
        document += "\"service\": \(jsonString(service)), \"lastLines\": ["
        document += lastLines.map(jsonString).joined(separator: ", ")
        return document + "]}\n"
    }
}

extension Answer.Form {
    /// What the client likes best by its `Accept` (RFC 9110 §12.5.1).
    ///
    /// People's programs name what they want (`text/html`, `text/plain`); who takes anything, or JSON, is a program.
    /// Asked for each request, so it makes do without memory of its own.
    init(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) {
        var choice = Choice()
        for field in head.fields where field.kind == .other && equals("accept", buffer[field.name]) {
            choice.consider(buffer[field.value])
        }
        self = choice.form
    }

    /// Looks at one `Accept` line after another.
    struct Choice {
        private(set) var form = Answer.Form.json
        /// In thousandths.
        private var quality = 0

        mutating func consider(_ line: Slice<UnsafeRawBufferPointer>) {
            var ranges = line
            while !ranges.isEmpty {
                var range = part(of: &ranges, upTo: UInt8(ascii: ","))
                guard let named = Answer.Form(mediaRange: part(of: &range, upTo: UInt8(ascii: ";"))) else { continue }
                var weight = 1000
                while !range.isEmpty {
                    let parameter = part(of: &range, upTo: UInt8(ascii: ";"))
                    guard hasPrefix("q=", parameter) else { continue }
                    weight = thousandths(parameter.dropFirst(2))
                    break
                }
                // Of equals the first named wins, and a named type wins over "*/*".
                if weight > quality { (form, quality) = (named, weight) }
            }
        }
    }

    private init?(mediaRange type: Slice<UnsafeRawBufferPointer>) {
        if equals("text/html", type) || equals("application/xhtml+xml", type) {
            self = .html
        } else if equals("text/plain", type) || equals("text/*", type) {
            self = .text
        } else if equals("application/json", type) || hasPrefix("+json", type.suffix(5)) {
            self = .json
        } else {
            return nil
        }
    }
}

/// Takes what stands before the next `separator`, or all, off `text`; without blanks around it.
func part(of text: inout Slice<UnsafeRawBufferPointer>, upTo separator: UInt8) -> Slice<UnsafeRawBufferPointer> {
    let end = text.firstIndex(of: separator) ?? text.endIndex
    var part = text[..<end]
    text = text[end...].dropFirst()
    while let first = part.first, first == 0x20 || first == 0x09 { part.removeFirst() }
    while let last = part.last, last == 0x20 || last == 0x09 { part.removeLast() }
    return part
}

/// A quality value as thousandths: `0.8` is 800; what is none counts as 0 (RFC 9110 §12.4.2).
private func thousandths(_ text: Slice<UnsafeRawBufferPointer>) -> Int {
    var rest = text
    guard let whole = rest.popFirst(), whole == UInt8(ascii: "0") || whole == UInt8(ascii: "1") else { return 0 }
    var value = Int(whole - UInt8(ascii: "0")) * 1000
    guard let point = rest.popFirst() else { return value }
    guard point == UInt8(ascii: ".") else { return 0 }
    var unit = 100
    for digit in rest.prefix(3) {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return 0 }
        value += Int(digit - UInt8(ascii: "0")) * unit
        unit /= 10
    }
    return min(value, 1000)
}

/// The text for HTML: what could be markup escaped, control characters shown as pictures.
func escaped(_ text: String) -> String {
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
func printable(_ text: String) -> String {
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
func jsonString(_ text: String) -> String {
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
