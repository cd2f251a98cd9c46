import EventLoop
import HTTP
import Platform

extension Connection {
    /// Says in the service's stead why it can't be used: an HTTP/1 response, or a reset to who speaks something else.
    func answer(_ reason: String, status: Int = 503) {
        guard conversation == .http1 else { return close(reset: true) }
        exchange.answer(reason, status: status)
    }

    /// Sends a whole response and closes once the client has it.
    func respond(status: Int, _ reason: String, as form: Answer.Form, withBody: Bool = true) {
        let lines = status == 503 ? destination.lastLines : []
        let answer = Answer(status: status, service: destination.name, reason: reason, lastLines: lines)
        client.dropEarly(client.earlyBytes.count)
        client.write(answer.response(form, withBody: withBody))
        linger()
    }
}

extension Answer.Form {
    /// What a request's `Accept` lines like best; those of people's programs alone are looked at closely.
    init(_ head: RequestHead, in buffer: UnsafeRawBufferPointer) {
        let namesText = head.fields.contains { field in
            field.kind == .other && field.name.count == 6 && buffer[field.name].first.map { $0 | 0x20 } == 0x61
                && contains("text/", buffer[field.value])
        }
        self = namesText ? .init(accepting: HTTPHeaders(head.fields, in: buffer).values("Accept")) : .json
    }
}

private func contains(_ word: StaticString, _ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    let length = word.utf8CodeUnitCount
    guard bytes.count >= length else { return false }
    return (bytes.startIndex...(bytes.endIndex - length)).contains { start in
        (0..<length).allSatisfy { bytes[start + $0] == word.utf8Start[$0] }
    }
}
