import Control
import Testing

@testable import Mesh

@Suite struct ControlFailureTests {
    @Test(arguments: [
        ("raeder", "There is no service \"raeder\". Did you mean \"reader\"?"),
        ("READERS", "There is no service \"READERS\". Did you mean \"reader\"?"),
        ("xyz", "There is no service \"xyz\". There are: reader, purge, db."),
        ("d", "There is no service \"d\". Did you mean \"db\"?"),
    ])
    func unknownService_saysWhatMayBeMeant(_ name: String, _ message: String) {
        let failure = ControlFailure.unknownService(name, known: ["reader", "purge", "db"])
        #expect(failure.message == message)
        #expect(failure.status == 404)
    }

    @Test func unknownService_inAnEmptyMesh_saysSo() {
        #expect(
            ControlFailure.unknownService("a", known: []).message
                == "There is no service \"a\". The manifest declares no services.")
    }
}
