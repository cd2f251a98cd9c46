import Plan
import Testing

@Suite struct PortRegistryTests {
    private let sample = PortRegistry(projects: [
        .init(
            manifest: "/a/services.json", name: "a", displayName: "a", blocks: [PortBlock(first: 20_000)],
            fronts: ["x": 20_001, "y": 20_002], edges: [.init(caller: "X", target: "Y"): 20_100]),
        .init(
            manifest: "/b/services.json", name: "b", displayName: "b-2",
            blocks: [PortBlock(first: 21_000), PortBlock(first: 20_200)], isChosen: true, fronts: ["z": 20_201],
            pins: ["q": 8080]),
    ])

    private func parse(_ text: String) -> PortRegistry.Reading { PortRegistry.parse(Array(text.utf8)) }

    @Test func text_isOneProjectALine() {
        #expect(
            sample.serialized() == """
                {"version":1,"projects":[
                {"manifest":"/a/services.json","name":"a","displayName":"a","blocks":[20000],"chosen":false,\
                "fronts":{"x":20001,"y":20002},"pins":{},"edges":{"x→y":20100}},
                {"manifest":"/b/services.json","name":"b","displayName":"b-2","blocks":[21000,20200],"chosen":true,\
                "fronts":{"z":20201},"pins":{"q":8080},"edges":{}}
                ]}

                """)
    }

    @Test func text_readAgain_isTheSame() {
        #expect(parse(sample.serialized()) == .whole(sample))
        #expect(parse(PortRegistry().serialized()) == .whole(PortRegistry()))
    }

    @Test func text_cutAnywhere_keepsEveryWholeLine() {
        let bytes = Array(sample.serialized().utf8)
        for length in 0..<bytes.count - 1 {
            guard case .damaged(let registry, let problems) = PortRegistry.parse(Array(bytes[..<length])) else {
                Issue.record("cut at \(length): not seen as damaged")
                continue
            }
            #expect(!problems.isEmpty)
            #expect(registry.projects == Array(sample.projects.prefix(registry.projects.count)))
            let wholeLines = bytes[..<length].split(separator: UInt8(ascii: "\n")).count - 2
            #expect(registry.projects.count >= wholeLines, "cut at \(length)")
        }
    }

    @Test func text_withAnyByteAltered_neverYieldsAContradiction() {
        var random = SystemRandomNumberGenerator()
        let bytes = Array(sample.serialized().utf8)
        for index in bytes.indices {
            var altered = bytes
            altered[index] = UInt8.random(in: 0...255, using: &random)
            let registry: PortRegistry
            switch PortRegistry.parse(altered) {
            case .whole(let read): registry = read
            case .damaged(let read, _): registry = read
            case .newer: continue
            }
            let blocks = registry.projects.flatMap(\.blocks).map(\.first).sorted()
            #expect(zip(blocks, blocks.dropFirst()).allSatisfy { $1 - $0 >= PortBlock.size }, "\(altered)")
            for project in registry.projects {
                let given = Array(project.fronts.values) + Array(project.edges.values)
                #expect(Set(given).count == given.count)
            }
        }
    }

    @Test func garbage_isDamagedAndEmpty() {
        for text in ["", "\0\0\0", "{", "null", "[1,2]", "{\"version\":1}", "{}"] {
            guard case .damaged(let registry, let problems) = parse(text) else {
                Issue.record("\(text) was taken for whole")
                continue
            }
            #expect(registry.projects.isEmpty)
            #expect(!problems.isEmpty)
        }
    }

    @Test func higherVersion_isNotTouched() {
        #expect(parse(#"{"version":2,"projects":"something else"}"#) == .newer(version: 2))
    }

    @Test func contradictions_areSettledForTheFirst() {
        let text = """
            {"version":1,"projects":[
            {"manifest":"/a","name":"a","displayName":"a","blocks":[20000],"fronts":{"x":20001,"y":20001,"z":30000}},
            {"manifest":"/b","name":"b","displayName":"b","blocks":[20100],"fronts":{"x":20101}},
            {"manifest":"/a","name":"a","displayName":"a","blocks":[20400]},
            {"manifest":"relative","blocks":[20600]}
            ]}
            """
        guard case .damaged(let registry, let problems) = parse(text) else {
            Issue.record("taken for whole")
            return
        }
        #expect(
            registry.projects == [
                .init(
                    manifest: "/a", name: "a", displayName: "a", blocks: [PortBlock(first: 20_000)],
                    fronts: ["x": 20_001]),
                .init(manifest: "/b", name: "b", displayName: "b"),
            ])
        #expect(
            problems == [
                "the port of y in /a makes no sense", "the port of z in /a makes no sense",
                "the block of /b at 20100 has another owner", "the port of x in /b makes no sense",
                "/a is listed twice", "an entry names no manifest",
            ])
    }

    @Test func copyOfAProjectsPorts_fillsAGapButTakesNothingFromAnybody() {
        let copy = Array(sample.serialized().utf8)
        var lost = PortRegistry(projects: [sample.projects[0]])
        lost.restore(manifest: "/b/services.json", from: copy)
        #expect(lost == sample)

        var changed = sample
        changed.projects[1].fronts["z"] = 20_202
        let before = changed
        changed.restore(manifest: "/b/services.json", from: copy)
        #expect(changed == before, "what the registry says counts")

        var taken = PortRegistry(projects: [
            .init(manifest: "/c", name: "c", displayName: "c", blocks: [PortBlock(first: 20_200)])
        ])
        let other = taken
        taken.restore(manifest: "/b/services.json", from: copy)
        taken.restore(manifest: "/a/services.json", from: Array(copy.dropLast(5)))
        taken.restore(manifest: "/x/services.json", from: copy)
        #expect(taken == other)
    }
}
