import HTTP
import Testing

@Suite struct RequestTargetTests {
    @Test func path_isSplitThenDecoded() {
        let target = RequestTarget("/v1/services/a%2Fb/%C3%A4?x=1&y=a+b%26c&flag&x=2")
        #expect(target?.segments == ["v1", "services", "a/b", "ä"])
        #expect(target?.value("x") == "1")
        #expect(target?.value("y") == "a b&c")
        #expect(target?.value("flag") == "")
        #expect(target?.value("z") == nil)
    }

    @Test func absoluteForm_losesItsAuthority() {
        #expect(RequestTarget("http://devmesh/v1?a=b")?.segments == ["v1"])
        #expect(RequestTarget("http://devmesh?a=b")?.value("a") == "b")
        #expect(RequestTarget("http://devmesh")?.segments == [])
    }

    @Test func path_withColon_isNoScheme() {
        #expect(RequestTarget("/a://b")?.segments == ["a:", "b"])
    }

    @Test(arguments: ["/%", "/%4", "/%zz", "/%00", "/%ff", "/?a=%"])
    func escape_malformed_isRefused(_ text: String) {
        #expect(RequestTarget(text) == nil)
    }

    @Test func encoding_thenDecoding_returnsTheText() {
        let text = "a b/ä?&=%+.~"
        #expect(percentEncoded(text) == "a%20b%2F%C3%A4%3F%26%3D%25%2B.~")
        #expect(percentDecoded(percentEncoded(text)[...]) == text)
    }
}
