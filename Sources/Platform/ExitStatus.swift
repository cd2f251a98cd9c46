/// How a process ended (wait(2)).
public enum ExitStatus: Sendable, Equatable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Signal)

    /// Of one that was reaped before anybody could ask.
    static let unknown = ExitStatus.signalled(.kill)

    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signalled(Signal(signal))
    }

    public var isSuccess: Bool { self == .exited(0) }

    /// What a shell would say: the code, or 128 and the signal's number.
    public var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal.number
        }
    }

    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): "\(signal)"
        }
    }
}
