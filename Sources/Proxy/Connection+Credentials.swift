import EventLoop
import HTTP
import Platform

/// Who may use what a remote adds to requests; `CredentialGuard` judges. To be asked of every request and every
/// connection that goes to a lease which adds credentials.
extension Connection {
    /// Why a request may not go there; nil where it may.
    func refusal(of head: RequestHead, in bytes: UnsafeRawBufferPointer) -> HTTPProblem? {
        refusalOfClient() ?? destination.credentialGuard.refusal(of: head, in: bytes)
    }

    /// The same of a request that waits in the client's early bytes, before anybody is called.
    func refusalOfWaiting() -> HTTPProblem? {
        let bench = destination.runtime.bench
        return exchange.withWaitingHead { refusal(of: bench.request, in: $0) } ?? nil
    }

    /// Why nothing of this client may go there; nil where it may.
    func refusalOfClient() -> HTTPProblem? {
        destination.credentialGuard.refusal(of: clientUser, owner: destination.runtime.user)
    }
}
