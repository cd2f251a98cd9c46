import HTTP
import Testing

@Suite struct HTTPHeadersTests {
    @Test func lines_withOneName_areKeptInOrder() {
        var headers: HTTPHeaders = ["Set-Cookie": "a=1", "X": "y"]
        headers.add("set-cookie", "b=2")
        #expect(headers["SET-COOKIE"] == "a=1")
        #expect(headers.values("Set-Cookie") == ["a=1", "b=2"])
        #expect(headers.lines.map(\.name) == ["Set-Cookie", "X", "set-cookie"])
    }

    @Test func set_onRepeatedName_leavesOneLine() {
        var headers: HTTPHeaders = ["A": "1", "B": "2", "a": "3"]
        headers.set("A", "4")
        #expect(headers.lines == [.init("B", "2"), .init("A", "4")])
    }

    @Test func names_thatDifferByMoreThanCase_areDifferent() {
        let headers: HTTPHeaders = ["A-B": "1"]
        #expect(headers["A\rB"] == nil)
        #expect(headers["A-"] == nil)
    }
}
