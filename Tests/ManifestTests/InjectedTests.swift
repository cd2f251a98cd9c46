import Testing

@testable import Manifest

@Suite struct InjectedTests {
    @Test func reservedNames_arePortAndService() {
        #expect(Injected.isReserved("PORT"))
        #expect(Injected.isReserved("SERVICE_ANYTHING"))
        #expect(!Injected.isReserved("PORTS"))
        #expect(!Injected.isReserved("SERVICE"))
        #expect(!Injected.isReserved("CONSUL_HTTP_ADDR"))
    }

    @Test func references_areResolvedLate() {
        let text = "--port=\(Injected.reference(to: "PORT")) $PORT \(Injected.reference(to: "GONE"))."
        #expect(Injected.resolve(text) { $0 == "PORT" ? "10000" : nil } == "--port=10000 $PORT .")
        #expect(Injected.display(text) == "--port=${PORT} $PORT ${GONE}.")
        #expect(Injected.resolve("plain ${PORT}") { _ in "x" } == "plain ${PORT}")
    }

    @Test func command_isResolvedWordByWordButNotForTheShell() {
        let port = Injected.reference(to: "PORT")
        #expect(Command.argv(["./x", port, "a\(port)b"]).resolved { _ in "1" } == .argv(["./x", "1", "a1b"]))
        #expect(Command.shell("./x $PORT").resolved { _ in "1" } == .shell("./x $PORT"))
    }

    @Test(arguments: [
        ("reader", "READER"), ("reader-2", "READER_2"), ("a.b_C", "A_B_C"), ("a-B.c_9", "A_B_C_9"), ("0", "0"),
    ])
    func stem_isUpperCaseWithUnderscores(name: String, stem: String) {
        #expect(Injected.stem(of: name) == stem)
    }
}
