import EventLoop
import HTTP
import Platform

/// What is to be said to a client once it has shown whether it speaks HTTP.
final class PendingAnswer {
    let status: Int
    let reason: String
    /// Ends the wait for the client's bytes.
    var timer: Timer?
    /// Whether the client has begun to speak.
    var heardSomething = false

    init(status: Int, reason: String) {
        self.status = status
        self.reason = reason
    }
}

extension Connection {
    /// How long to wait for a client's first bytes before it is taken for one that lets the server speak first.
    static let silenceLimit = Duration.milliseconds(50)
    /// How long a client may take for its head.
    static let headLimit = Duration.seconds(10)

    /// Says in the service's stead why it can't be used: an HTTP/1 response, or a reset to who speaks something else.
    func answer(_ reason: String, status: Int = 503) {
        guard destination.protocolKind != .tcp else { return close(reset: true) }
        let answer = PendingAnswer(status: status, reason: reason)
        phase = .answering(answer)
        prepareAnswer(answer)
    }

    /// Looks at what the client has sent, and answers as soon as that tells enough.
    func prepareAnswer(_ answer: PendingAnswer) {
        client.readEarly(limit: HTTPLimits.standard.head + 1)
        let early = client.earlyBytes
        switch early.withBytes({ Sniffer.look($0) }) {
        case .http2, .other:
            return close(reset: true)
        case .needMore:
            if client.ending != nil { return close(reset: true) }
            let patient = destination.protocolKind == .http || !early.isEmpty
            expectBytes(answer, hearing: !early.isEmpty, patient ? Connection.headLimit : Connection.silenceLimit)
        case .http1:
            var head = RequestHead()
            switch early.withBytes({ head.parse($0) }) {
            case .needMore:
                if client.ending != nil { return close(reset: true) }
                expectBytes(answer, hearing: true, Connection.headLimit)
            case .invalid(let problem):
                respond(status: problem.status, problem.description, as: .text)
            case .complete:
                let form = early.withBytes { Answer.Form(accepting: acceptValues(head, in: $0)) }
                respond(status: answer.status, answer.reason, as: form, withBody: head.method != .head)
            }
        }
    }

    /// Sets the time limit once for silence and once for an unfinished head.
    private func expectBytes(_ answer: PendingAnswer, hearing: Bool, _ limit: Duration) {
        guard answer.timer == nil || (hearing && !answer.heardSomething) else { return }
        answer.heardSomething = hearing
        answer.timer?.cancel()
        answer.timer = loop.after(limit) { [weak self] in self?.close(reset: true) }
    }

    /// Sends a whole response and closes once the client has it.
    func respond(status: Int, _ reason: String, as form: Answer.Form, withBody: Bool = true) {
        if case .answering(let answer) = phase { answer.timer?.cancel() }
        let lines = status == 503 ? destination.lastLines : []
        let answer = Answer(status: status, service: destination.name, reason: reason, lastLines: lines)
        client.dropEarly(client.earlyBytes.count)
        client.write(answer.response(form, withBody: withBody))
        linger()
    }
}

/// The values of a request's `Accept` lines.
func acceptValues(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) -> [String] {
    HTTPHeaders(head.fields, in: buffer).values("Accept")
}
