import Control
import Testing

@testable import Commands

struct TopPictureTests {
    static func service(_ name: String, cpu: Double?) -> ServiceStatus {
        var service = StatusTableTests.services[0]
        service.service = name
        service.instances = [service.instances[0]]
        service.instances[0].cpu = cpu
        if cpu == nil { service.instances = [] }
        return service
    }

    static let picture = TopPicture(
        name: "newsroom",
        services: [service("a", cpu: 1), service("b", cpu: nil), service("c", cpu: 20.5), service("d", cpu: 1)],
        now: StatusTableTests.now)

    @Test func services_busiestFirst_elseInTheManifestsOrder() {
        #expect(Self.picture.services.map(\.service) == ["c", "a", "d", "b"])
    }

    @Test func screen_isDrawnOverTheOneBefore() {
        let screen = Self.picture.screen(width: 60, height: nil, colours: false, ending: "q")
        let lines = screen.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first == "\u{1B}[Hnewsroom: cpu 22.5%, memory 15MB; q ends this\u{1B}[K")
        #expect(lines.last == "\u{1B}[J")
        #expect(lines.dropLast().allSatisfy { $0.hasSuffix("\u{1B}[K") })
        #expect(lines.count == 8)
    }

    @Test func narrowTerminal_keepsWhatItIsAbout() {
        let lines = Self.picture.lines(width: 40, colours: false)
        #expect(lines[0].contains("CPU") && lines[0].contains("MEM") && !lines[0].contains("ADDRESS"))
        #expect(lines[1].contains("20.5%"))
    }

    @Test(arguments: [1, 2, 4, 6, 7, 30]) func screen_neverScrolls(height: Int) {
        let screen = Self.picture.screen(width: 40, height: height, colours: true, ending: "q")
        #expect(screen.count { $0 == "\n" } < max(2, height))
    }
}
