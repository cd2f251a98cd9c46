import EventLoop
import HTTP
import Platform

extension Connection {
    /// Says in the service's stead why it can't be used: an HTTP/1 response, HTTP/2's farewell, or a reset to who speaks
    /// something else.
    func answer(_ reason: String, status: Int = 503) {
        if conversation == .undecided {
            // It may have said meanwhile what it is.
            client.readEarly(limit: HTTPLimits.standard.head + 1)
            if !client.earlyBytes.isEmpty {
                phase = .awaiting(nil)
                return readRequest()
            }
        }
        if conversation == .http1 { return exchange.answer(reason, status: status) }
        guard client.earlyBytes.withBytes({ Sniffer.look($0) }) == .http2 else { return close(reset: true) }
        client.dropEarly(client.earlyBytes.count)
        client.write(http2Farewell(reason, needsHTTP1: status == 505))
        linger()
    }

    /// Sends a whole response and closes once the client has it.
    func respond(status: Int, _ reason: String, as form: Answer.Form, withBody: Bool = true) {
        let lines = status == 503 ? destination.lastLines : []
        let answer = Answer(status: status, service: destination.name, reason: reason, lastLines: lines)
        deliver(answer.response(form, withBody: withBody))
    }

    /// The same with the response's bytes.
    func deliver(_ response: [UInt8]) {
        client.dropEarly(client.earlyBytes.count)
        client.write(response)
        linger()
    }
}
