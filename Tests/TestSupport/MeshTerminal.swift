import Platform

/// A terminal as a user has it in front of them, with a program that a test started in it.
public final class MeshTerminal: Sendable {
    public let program: MeshProgram
    private let keyboard: Descriptor

    init(_ program: MeshProgram, _ keyboard: consuming Descriptor) {
        self.program = program
        self.keyboard = keyboard
    }

    /// What has been shown, escape sequences and all.
    public var output: MeshOutput { program.output }

    public func type(_ text: String) throws { try Kernel.real.writeAll(keyboard, text) }

    public func resize(_ columns: Int, _ rows: Int) {
        Kernel.real.setTerminalSize(keyboard, TerminalSize(columns: columns, rows: rows))
    }
}

extension MeshFixture {
    /// Runs a line of shell on a terminal of its own.
    public func terminal(_ line: String, _ size: TerminalSize = .standard) throws -> MeshTerminal {
        var request = SpawnRequest(
            path: "/bin/sh", arguments: ["sh", "-c", line],
            environment: environment.merging(["TERM": "xterm-256color"]) { $1 }, directory: folder.path)
        request.takesTerminal = true
        let terminal = try Kernel.real.pseudoTerminal(size)
        let keyboard = try Kernel.real.duplicate(terminal.ours)
        let program = try MeshProgram(request, terminal)
        add(program)
        return MeshTerminal(program, keyboard)
    }
}
