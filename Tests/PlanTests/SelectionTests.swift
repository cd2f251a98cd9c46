import Manifest
import Plan
import Testing

@Suite struct SelectionTests {
    private let shop = [
        service("web", dependsOn: ["api"]),
        service("api", dependsOn: ["db", "auth"], remote: true),
        service("auth", remote: true),
        service("db"),
        service("mail"),
        service("pay", run: nil, remote: true, target: .remote),
    ]

    private func roles(_ selection: Selection) -> [String] {
        selection.roles.map { "\($0.service) \($0.role)" }
    }

    @Test func up_startsAllWhereTheManifestSays() throws {
        #expect(
            roles(try plan(shop).wholeSelection) == [
                "web local", "api local", "auth local", "db local", "mail local", "pay remote",
            ])
    }

    @Test func upOfSome_startsTheirClosureAndLetsRemotesServe() throws {
        let plan = try plan(shop)
        #expect(
            roles(try plan.selection(of: ["API"])) == [
                "web idle", "api local", "auth local", "db local", "mail idle", "pay remote",
            ])
    }

    @Test func upLocal_runsJustThoseHere() throws {
        let plan = try plan(shop)
        #expect(
            roles(try plan.localSelection(of: ["web"])) == [
                "web local", "api remote", "auth remote", "db local", "mail idle", "pay remote",
            ])
        #expect(
            roles(try plan.localSelection(of: ["api", "Mail"])) == [
                "web idle", "api local", "auth remote", "db local", "mail local", "pay remote",
            ])
    }

    @Test func upLocal_ofAServiceThatCantRunHere_isAnError() throws {
        let plan = try plan(shop)
        let error = #expect(throws: PlanError.self) { try plan.localSelection(of: ["pay"]) }
        #expect(
            error?.description == "Service pay can't run here: it has no `run` command. "
                + "Add one to services.pay, or leave it out of --local.")
    }

    @Test func unknownName_isAnErrorThatListsThoseThereAre() throws {
        let plan = try plan([service("a"), service("b")])
        let error = #expect(throws: PlanError.self) { try plan.selection(of: ["a", "other"]) }
        #expect(error?.description == #"There is no service "other" in the manifest. It has: a, b."#)
        let mistyped = try PlanTests.plan([service("reader"), service("purge")])
        let near = #expect(throws: PlanError.self) { try mistyped.localSelection(of: ["raeder"]) }
        #expect(near?.description == #"There is no service "raeder" in the manifest. Did you mean "reader"?"#)
    }

    @Test func closure_isTransitiveAndInManifestOrder() throws {
        let plan = try plan([
            service("web", dependsOn: ["api", "cache"]), service("api", dependsOn: ["DB"]), service("cache"),
            service("db"),
            service("mail", dependsOn: ["db"]),
        ])
        #expect(plan.closure(of: ["WEB"]).map(\.name) == ["web", "api", "cache", "db"])
        #expect(plan.closure(of: ["mail", "cache"]).map(\.name) == ["cache", "db", "mail"])
        #expect(plan.closure(of: []).isEmpty)
    }
}
