/// What is to be sent once a turn of the loop is nearly over, so that short messages leave together: whom they are for
/// is woken once for several of them, which is dearer than to send them.
///
///     handlers ──post──▶ outbox ──end of the turn, or 16 of them──▶ sendNow
public final class Outbox {
    /// Not more than that is put off, in bytes and in messages.
    private static let longest = 4096
    private static let most = 16

    /// Owned; the first `used` bytes are the messages', one behind the other. Made when something is posted.
    private var memory: UnsafeMutableRawBufferPointer?
    // Unchecked: used by one loop only, and `sendNow` posts nothing.
    @exclusivity(unchecked) private var used = 0
    @exclusivity(unchecked) private var messages: [Message] = []
    private var isFlushing = false

    private struct Message {
        /// Kept by whatever it is registered with until it is closed, before which it has the outbox flushed.
        unowned(unsafe) let sender: any Sender
        var length: Int
    }

    init() {}

    deinit { memory?.deallocate() }

    /// Takes a copy of what `sender` has to send, and calls its `sendNow` before the loop waits again. False where that
    /// is too much to be put off: then everything posted before is sent already.
    public func post(_ bytes: UnsafeRawBufferPointer, from sender: any Sender) -> Bool {
        assert(!isFlushing, "it would be forgotten")
        guard bytes.count <= Self.longest else {
            flush()
            return false
        }
        let memory = self.memory ?? .allocate(byteCount: Self.longest * Self.most, alignment: 16)
        self.memory = memory
        UnsafeMutableRawBufferPointer(rebasing: memory[used...]).copyMemory(from: bytes)
        used += bytes.count
        messages.append(Message(sender: sender, length: bytes.count))
        if messages.count == Self.most { flush() }
        return true
    }

    /// Has everything posted sent.
    public func flush() {
        guard let memory, !messages.isEmpty else { return }
        isFlushing = true
        var start = 0
        for message in messages {
            message.sender.sendNow(UnsafeRawBufferPointer(rebasing: memory[start..<start + message.length]))
            start += message.length
        }
        messages.removeAll(keepingCapacity: true)
        used = 0
        isFlushing = false
    }
}

/// Sends what it has posted. It must have the outbox flushed before it goes.
public protocol Sender: AnyObject {
    /// Must post nothing itself. The bytes are valid during the call only.
    func sendNow(_ bytes: UnsafeRawBufferPointer)
}
