import Platform

/// Where a printer's lines go, in place of its output: a terminal that shows something else beside them. Belongs to the
/// printer's loop.
public protocol LogSink: AnyObject {
    /// Writes all of it, waiting where it must. It may end within a line, which the next goes on with.
    func write(_ bytes: UnsafeRawBufferPointer) throws(Errno)
    /// Nothing more will come.
    func close()
}
