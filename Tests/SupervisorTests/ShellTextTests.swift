import Testing

@testable import Supervisor

@Suite struct ShellTextTests {
    @Test(arguments: [
        ("./reader --port $PORT", "exec ./reader --port $PORT"),
        ("./reader --port ${PORT:-80}", "exec ./reader --port ${PORT:-80}"),
        ("  npm run dev", "  exec npm run dev"),
        ("A=1 B='x y' ./reader", "A=1 B='x y' exec ./reader"),
        ("1A=1 ./reader", "exec 1A=1 ./reader"),
        ("python3 -c 'import a; b()'", "exec python3 -c 'import a; b()'"),
        ("./reader \"a; b\" \\; c", "exec ./reader \"a; b\" \\; c"),
        ("./reader 2>&1 >out", "exec ./reader 2>&1 >out"),
    ])
    func simpleCommand_isExeced(text: String, expected: String) {
        #expect(ShellText.replacingShell(text) == expected)
    }

    @Test(arguments: [
        "cd x && ./reader", "./a; ./b", "./a | ./b", "./a & wait", "(./a)", "if true; then ./a; fi", "exec ./reader",
        "./a $(cat b)", "./a `cat b`", "./a \"$(cat b)\"", "./a\n./b", "A=1", "", "# nothing", "! ./a", "export A=1",
        ">out ./a", "echo 'open",
    ])
    func anythingElse_isLeftAsItIs(text: String) {
        #expect(ShellText.replacingShell(text) == text)
    }
}
