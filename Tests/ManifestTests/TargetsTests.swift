import Manifest
import Testing

@Suite struct TargetsTests {
    @Test(arguments: [
        (Target.local, "local"), (.remote, "remote"), (.version("next"), "next"), (.git("a/b"), "git:a/b"),
    ])
    func target_isReadBackFromItsText(target: Target, text: String) {
        #expect(target.text == text && Target(text: text) == target)
    }

    @Test func unitNames_areTakenApart() {
        #expect(UnitName.of("web", version: "a@b") == "web@a@b")
        #expect(UnitName.service(of: "web@a@b") == "web" && UnitName.version(of: "web@a@b") == "a@b")
        #expect(UnitName.service(of: "web") == "web" && UnitName.version(of: "web") == nil)
    }

    @Test func targets_areFoundByName_thatVeryNameFirst() {
        var service = Service(name: "web", directory: "/", run: .shell("x"))
        service.versions = ["next", "Next"].map { ServiceVersion(name: $0, service: service) }
        service.versions.append(service.version(git: "LOCAL"))
        #expect(service.target("Next") == .version("Next") && service.target("NEXT") == .version("next"))
        #expect(service.target("LOCAL") == .git("LOCAL") && service.target("Local") == .local)
        #expect(service.target("remote") == nil && service.target("none") == nil)
    }
}
