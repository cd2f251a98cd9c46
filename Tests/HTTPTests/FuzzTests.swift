import FuzzTargets
import TestSupport
import Testing

/// What the fuzzers begin with and what they have found; `.ci/fuzz` searches for more.
@Suite struct FuzzTests {
    @Test(arguments: FuzzTarget.allCases)
    func rules_holdForEachInput(_ target: FuzzTarget) {
        let folders = ["fuzz/\(target.rawValue)", "http1/requests", "http1/responses", "http1/limits"]
        for folder in folders {
            let names = Fixtures.names(in: folder)
            #expect(!names.isEmpty, "\(folder)")
            for name in names {
                let violation = Fixtures.bytes("\(folder)/\(name)").withUnsafeBytes { target.violation(in: $0) }
                #expect(violation == nil, "\(folder)/\(name)")
            }
        }
    }
}
