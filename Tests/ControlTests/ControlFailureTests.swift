import Control
import JSON
import Testing

@Suite struct ControlFailureTests {
    @Test func failure_asJSON_hasMessageAndCode() throws {
        let failure = ControlFailure.badRequest("No.")
        #expect(failure.json.serialized() == #"{"error":{"message":"No.","code":"bad-request"}}"#)
        #expect(try ControlFailure(json: failure.json).message == "No.")
    }
}
