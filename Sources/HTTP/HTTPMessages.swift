/// A whole request as a value. For control code: probes, the control API and its client.
public struct HTTPRequest: Sendable, Equatable {
    public var method: String
    /// As on the request line: `/path?query`.
    public var target: String
    public var headers: HTTPHeaders
    public var body: [UInt8]

    public init(method: String = "GET", target: String, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// Copies a parsed head out of its buffer; the body is up to the caller.
    public init(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) {
        self.init(
            method: String(decoding: buffer[head.methodRange], as: UTF8.self),
            target: String(decoding: buffer[head.target], as: UTF8.self),
            headers: HTTPHeaders(head.fields, in: buffer))
    }

    /// The bytes to send. `Content-Length` is set from the body where there is one, or where the method expects one.
    public func serialized() throws(HTTPProblem) -> [UInt8] {
        var writer = HeadWriter(reserving: 256 + body.count)
        try writer.request(method: method, target: target)
        try writer.fields(headers, except: body.isEmpty ? nil : "Content-Length")
        if !body.isEmpty {
            try writer.field("Content-Length", String(body.count))
        } else if ["POST", "PUT", "PATCH"].contains(method), headers["Content-Length"] == nil {
            try writer.field("Content-Length", "0")
        }
        writer.end()
        writer.append(body)
        return writer.bytes
    }
}

/// A whole response as a value.
public struct HTTPResponse: Sendable, Equatable {
    public var status: Int
    /// The standard phrase of the status where nil.
    public var reason: String?
    public var headers: HTTPHeaders
    public var body: [UInt8]

    public init(status: Int, reason: String? = nil, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
    }

    /// Copies a parsed head out of its buffer; the body is up to the caller.
    public init(_ head: ResponseHead, in buffer: UnsafeRawBufferPointer) {
        self.init(
            status: head.status, reason: String(decoding: buffer[head.reason], as: UTF8.self),
            headers: HTTPHeaders(head.fields, in: buffer))
    }

    /// The bytes to send, framed by length. With `headOnly` (an answer to HEAD) the length is told and the body kept.
    public func serialized(headOnly: Bool = false) throws(HTTPProblem) -> [UInt8] {
        var writer = HeadWriter(reserving: 256 + body.count)
        try writer.response(status: status, reason: reason)
        try writer.fields(headers, except: "Content-Length")
        let mayHaveBody = status >= 200 && status != 204 && status != 304
        if mayHaveBody { try writer.field("Content-Length", String(body.count)) }
        writer.end()
        if mayHaveBody && !headOnly { writer.append(body) }
        return writer.bytes
    }
}

/// The phrase that usually goes with a status; empty for one that is not known.
public func reasonPhrase(_ status: Int) -> String {
    switch status {
    case 100: "Continue"
    case 101: "Switching Protocols"
    case 103: "Early Hints"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 426: "Upgrade Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    case 508: "Loop Detected"
    default: ""
    }
}
