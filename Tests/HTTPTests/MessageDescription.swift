import HTTP

/// Reads one message piece by piece, as a connection does, and describes what it saw.
struct MessageDescription {
    private enum State {
        case head
        case length(UInt64)
        case chunked(ChunkedDecoder)
        case untilClose
        case over
    }

    private let isRequest: Bool
    private let answering: HTTPMethod
    private let limits: HTTPLimits
    private var state = State.head
    private var request = RequestHead()
    private var response = ResponseHead()
    private var buffer: [UInt8] = []
    private var lines: [String] = []
    private var payload: [UInt8]?
    private var ending: [String]?

    init(isRequest: Bool, answering: HTTPMethod, limits: HTTPLimits) {
        self.isRequest = isRequest
        self.answering = answering
        self.limits = limits
    }

    /// What is known so far, in the words of the fixtures.
    var text: String {
        var all = lines
        if let payload { all.append("payload " + escaped(payload)) }
        if let ending {
            all += ending
            if ending.allSatisfy({ !$0.hasPrefix("invalid") }) { all.append("left \(buffer.count)") }
        } else if case .untilClose = state {
            all.append("left 0")
        } else {
            all.append("needs more")
        }
        return all.joined(separator: "\n") + "\n"
    }

    mutating func feed(_ bytes: ArraySlice<UInt8>) {
        buffer += bytes
        if case .head = state { parseHead() }
        switch state {
        case .head: break
        case .length(let left):
            let taken = min(left, UInt64(buffer.count))
            payload = (payload ?? []) + buffer.prefix(Int(taken))
            buffer.removeFirst(Int(taken))
            if left == taken { finish([]) } else { state = .length(left - taken) }
        case .untilClose:
            payload = (payload ?? []) + buffer
            buffer = []
        case .chunked(var decoder): decode(&decoder)
        case .over: break
        }
    }

    private mutating func finish(_ ending: [String]) {
        self.ending = ending
        state = .over
    }

    private mutating func parseHead() {
        let result = buffer.withUnsafeBytes {
            isRequest ? request.parse($0, limits: limits) : response.parse($0, limits: limits)
        }
        switch result {
        case .needMore: return
        case .invalid(let problem): finish(["invalid \(problem.status) \(problem.reason)"])
        case .complete(let length):
            let framing = buffer.withUnsafeBytes { isRequest ? describeRequest($0) : describeResponse($0) }
            buffer.removeFirst(length)
            switch framing {
            case .none, .tunnel: finish([])
            case .length(let count): state = .length(count)
            case .chunked: state = .chunked(ChunkedDecoder(limits: limits))
            case .untilClose: state = .untilClose
            }
            if case .over = state {} else { payload = [] }
        }
    }

    private mutating func decode(_ decoder: inout ChunkedDecoder) {
        var at = 0
        while true {
            let step = buffer.withUnsafeBytes { decoder.next($0, &at) }
            switch step {
            case .payload(let range): payload = (payload ?? []) + buffer[range]
            case .needMore:
                // The decoder has consumed all: the buffer need not be kept.
                buffer = []
                state = .chunked(decoder)
                return
            case .finished:
                buffer.removeFirst(at)
                let trailers = String(decoding: decoder.trailers, as: UTF8.self).split(separator: "\r\n")
                finish(trailers.map { "trailer " + $0 })
                return
            case .invalid(let problem):
                finish(["invalid \(problem.status) \(problem.reason)"])
                return
            }
        }
    }

    private mutating func describeRequest(_ bytes: UnsafeRawBufferPointer) -> BodyFraming {
        let text = { (range: Range<Int>) in String(decoding: bytes[range], as: UTF8.self) }
        var words = [text(request.methodRange), text(request.target), "HTTP/1.\(request.minorVersion)"]
        switch request.form {
        case .origin: words.append("origin")
        case .absolute(let authority, let path): words += ["absolute", text(authority), text(path)]
        case .authority: words.append("authority")
        case .asterisk: words.append("asterisk")
        }
        words.append(request.keepsAlive ? "keep-alive" : "close")
        if request.asksUpgrade { words.append("upgrade") }
        if request.expectsContinue { words.append("expect") }
        lines.append(words.joined(separator: " "))
        describeFields(request.section, bytes)
        lines.append("body " + describe(request.framing))
        return request.framing
    }

    private mutating func describeResponse(_ bytes: UnsafeRawBufferPointer) -> BodyFraming {
        let reason = String(decoding: bytes[response.reason], as: UTF8.self)
        let end = (response.keepsAlive ? "keep-alive" : "close") + (response.isInterim ? " interim" : "")
        lines.append("\(response.status) \"\(reason)\" HTTP/1.\(response.minorVersion) \(end)")
        describeFields(response.section, bytes)
        let framing = response.framing(answering: answering)
        lines.append("body " + describe(framing))
        return framing
    }

    private mutating func describeFields(_ section: FieldSection, _ bytes: UnsafeRawBufferPointer) {
        for field in section.fields {
            let name = String(decoding: bytes[field.name], as: UTF8.self)
            let value = String(decoding: bytes[field.value], as: UTF8.self)
            // `Connection` itself and `Upgrade` when it is honoured are the reader's to see, so they aren't marked.
            let honoured = field.kind == .connection || (field.kind == .upgrade && request.asksUpgrade)
            let ends = (field.kind.isHopByHop && !honoured) || section.connectionNames(field, in: bytes)
            lines.append("\(name): \(value)\(ends ? " (hop)" : "")")
        }
    }

    private func describe(_ framing: BodyFraming) -> String {
        switch framing {
        case .none: "none"
        case .length(let count): "length \(count)"
        case .chunked: "chunked"
        case .untilClose: "until close"
        case .tunnel: "tunnel"
        }
    }

    private func escaped(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.map {
            switch $0 {
            case "\r": "\\r"
            case "\n": "\\n"
            default: String($0)
            }
        }.joined()
    }
}
