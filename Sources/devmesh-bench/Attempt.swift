import Platform

/// Does what may fail with an error number; a failure then says what was being done.
func attempt<T: ~Copyable>(_ what: @autoclosure () -> String, _ body: () throws(Errno) -> T) throws(Malfunction) -> T {
    do throws(Errno) { return try body() } catch { throw Malfunction("\(what()): \(error)") }
}

extension Kernel {
    /// Waits for the next bytes; none at the end.
    func next(_ descriptor: borrowing Descriptor, atMost count: Int = 65536) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, count in
            do throws(Errno) {
                if case .bytes(let read) = try self.read(descriptor, into: UnsafeMutableRawBufferPointer(buffer)) {
                    count = read
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}
