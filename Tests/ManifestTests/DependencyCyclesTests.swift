import Testing

@testable import Manifest

@Suite struct DependencyCyclesTests {
    @Test func graphsWithoutCycles_giveNone() {
        #expect(DependencyCycles.find([]) == [])
        #expect(DependencyCycles.find([[1, 2], [3], [3], []]) == [])
        #expect(DependencyCycles.find([[0], []]) == [])
    }

    @Test func cycles_beginWithTheirSmallest() {
        #expect(DependencyCycles.find([[1], [0]]) == [[0, 1]])
        #expect(DependencyCycles.find([[2], [0], [1]]) == [[0, 2, 1]])
        #expect(DependencyCycles.find([[3], [2], [1], []]) == [[1, 2]])
    }

    @Test func longChains_doNotOverflowTheStack() {
        let count = 100_000
        #expect(DependencyCycles.find((0..<count).map { [($0 + 1) % count] }) == [Array(0..<count)])
    }
}
