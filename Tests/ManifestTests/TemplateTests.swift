import Testing

@testable import Manifest

@Suite struct TemplateTests {
    @Test func text_isSplitIntoPartsWithTheirPlaces() {
        let template = Template("é${A}$$x${B:-c d}$")
        #expect(
            template.parts == [
                .literal("é"), .reference(name: "A", fallback: nil, offset: 2), .literal("$x"),
                .reference(name: "B", fallback: "c d", offset: 9), .literal("$"),
            ])
        #expect(template.faults == [])
    }

    @Test func fallback_isLiteralAndMayBeEmpty() {
        #expect(Template("${A:-}").parts == [.reference(name: "A", fallback: "", offset: 0)])
        #expect(Template("${A:-$B:-c}").parts == [.reference(name: "A", fallback: "$B:-c", offset: 0)])
    }

    @Test(arguments: ["", " A", "A ", "1A", "A-b", "A:b", "A:?b", "A:=b", "-", "é", "${A"])
    func otherForms_areMalformed(inner: String) {
        #expect(Template("x${\(inner)}").faults == [.init(kind: .malformed(inner), offset: 1)])
    }

    @Test func unclosedReference_isFound() {
        #expect(Template("ab${A").faults == [.init(kind: .unclosed, offset: 2)])
        #expect(Template("${").faults == [.init(kind: .unclosed, offset: 0)])
    }

    @Test func bareName_staysAndIsNoted() {
        let template = Template("$HOME/$1/$-")
        #expect(template.parts == [.literal("$HOME/$1/$-")])
        #expect(template.faults == [.init(kind: .bare("HOME"), offset: 0)])
    }
}
