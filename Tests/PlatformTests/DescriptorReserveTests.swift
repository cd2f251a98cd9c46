import Testing

@testable import Platform

@Suite struct DescriptorReserveTests {
    @Test func using_noDescriptorLeft_givesOneUpUntilRefilled() {
        let reserve = DescriptorReserve(size: 1)
        var calls = 0
        func openAtTheSecondTry() -> Result<Int, Errno> {
            calls += 1
            return calls == 2 ? .success(calls) : .failure(.tooManyOpenFiles)
        }
        #expect(reserve.using(openAtTheSecondTry) == .failure(.tooManyOpenFiles))
        for _ in 0..<2 {
            reserve.keep()
            calls = 0
            #expect(reserve.using(openAtTheSecondTry) == .success(2))
            #expect(
                reserve.using { .failure(Errno.tooManyOpenFiles) } as Result<Int, Errno> == .failure(.tooManyOpenFiles))
        }
    }

    @Test func using_otherFailure_isNotTriedAgain() {
        let reserve = DescriptorReserve(size: 1)
        reserve.keep()
        var calls = 0
        let result: Result<Int, Errno> = reserve.using {
            calls += 1
            return .failure(.noEntry)
        }
        #expect(result == .failure(.noEntry))
        #expect(calls == 1)
    }
}
