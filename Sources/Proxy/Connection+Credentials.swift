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
        func judge(_ bytes: UnsafeRawBufferPointer) -> HTTPProblem? {
            bench.request.reset()
            guard case .complete = bench.request.parse(bytes) else { return nil }
            return refusal(of: bench.request, in: bytes)
        }
        let (early, head) = (client.earlyBytes, exchange.sent)
        return head.isEmpty ? early.withBytes(judge) : head.withUnsafeBytes(judge)
    }

    /// Why nothing of this client may go there; nil where it may.
    func refusalOfClient() -> HTTPProblem? {
        destination.credentialGuard.refusal(of: clientUser, owner: destination.runtime.user)
    }
}
