import Platform
import TestSupport
import Testing

@Suite struct PseudoTerminalTests {
    @Test func program_withTerminal_hasItAsItsOwn() throws {
        let script = "test -t 0 && test -t 1 && test -t 2 && echo three; echo own > /dev/tty; stty size"
        #expect(try shown(script, TerminalSize(columns: 100, rows: 30)) == "three\r\nown\r\n30 100\r\n")
    }

    /// More than the kernel keeps for a terminal.
    @Test func output_beforeTheEnd_isReadToItsEnd() throws {
        #expect(try shown("seq 1 20000; printf end").hasSuffix("19999\r\n20000\r\nend"))
    }

    @Test func size_changed_isToldByASignal() throws {
        let terminal = try Kernel.real.pseudoTerminal(.standard)
        let script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done"
        let pid = try start(script, terminal.programs)
        let keyboard = try Kernel.real.duplicate(terminal.ours)
        terminal.programs.close()
        let text = read(terminal.ours) { text in
            if text == "ready\r\n" { Kernel.real.setTerminalSize(keyboard, TerminalSize(columns: 120, rows: 40)) }
        }
        #expect(text == "ready\r\n40 120\r\n")
        #expect(ChildTable.wait(pid) == .exited(0))
    }

    private func shown(_ script: String, _ size: TerminalSize = .standard) throws -> String {
        let terminal = try Kernel.real.pseudoTerminal(size)
        let pid = try start(script, terminal.programs)
        terminal.programs.close()
        let text = read(terminal.ours)
        #expect(ChildTable.wait(pid) == .exited(0))
        return text
    }

    private func start(_ script: String, _ terminal: borrowing Descriptor) throws -> Int32 {
        var request = SpawnRequest(
            path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"])
        request.takesTerminal = true
        return try ChildTable.spawn(request, stdin: terminal.raw, stdout: terminal.raw, stderr: terminal.raw)
    }

    /// Reads until it is hung up, which is an error (EIO).
    private func read(_ terminal: borrowing Descriptor, _ onText: (String) -> Void = { _ in }) -> String {
        var bytes: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            while case .bytes(let count)? = try? Kernel.real.read(terminal, into: buffer) {
                bytes += buffer[..<count]
                onText(String(decoding: bytes, as: UTF8.self))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
