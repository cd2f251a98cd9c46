import Manifest
import Plan
import Platform
import Project
import TestSupport
import Testing

/// Where git refs are checked out.
@Suite struct CheckoutTests {
    private let folder = TemporaryFolder()

    private func placed(_ directory: String, ref: String = "main") throws -> Service {
        var service = Service(name: "web", directory: directory, run: .shell("x"))
        service.versions = [service.version(git: ref)]
        var plan = Plan(
            manifest: Manifest(path: "", directory: "", name: ""), displayName: "", gatewayPort: 1, dnsPort: 2,
            services: [ServicePlan(service: service, front: nil, edges: [])], inherited: [:])
        LocatedProject(manifest: "/p/services.json").placeCheckouts(in: &plan)
        return try #require(plan.unit("web@" + ref)?.service)
    }

    @Test func directory_keepsItsPlaceInTheRepository() throws {
        folder.write("repo/.git/HEAD", "")
        folder.write("repo/a/b/file", "")
        let top = try Kernel.real.realPath(folder.path + "/repo")
        let deep = try placed(folder.path + "/repo/a/../a/b")
        let worktree = "/p/.devmesh/services.json/worktrees/web@main"
        #expect(deep.checkout == Checkout(ref: "main", repository: top, worktree: worktree))
        #expect(deep.directory == worktree + "/a/b")
        #expect(try placed(folder.path + "/repo").directory == worktree)
        // It may be in the ref alone.
        #expect(try placed(top + "/gone/./x").directory == worktree + "/gone/x")
    }

    @Test func repository_isTheOneThatALinkLeadsTo() throws {
        folder.write("other/.git", "gitdir: elsewhere")
        folder.write("other/site/file", "")
        folder.write("repo/.git/HEAD", "")
        try Kernel.real.link(folder.path + "/other/site", at: folder.path + "/repo/site")
        let service = try placed(folder.path + "/repo/site")
        #expect(service.checkout?.repository == (try Kernel.real.realPath(folder.path + "/other")))
        #expect(service.directory.hasSuffix("/worktrees/web@main/site"))
    }

    @Test func refsWithSlashes_haveOneFolderEach() throws {
        folder.write("repo/.git/HEAD", "")
        let folders = try ["a/b", "a%2Fb", "a-b"].map { ref in
            try #require(placed(folder.path + "/repo", ref: ref).checkout).worktree
        }
        #expect(folders.map { Path.name($0) } == ["web@a%2Fb", "web@a%252Fb", "web@a-b"])
        #expect(folders.map { Path.name(ofPart: Path.name($0)) } == ["web@a/b", "web@a%2Fb", "web@a-b"])
    }

    @Test func directoryInNoRepository_staysWhereItIs() throws {
        let service = try placed("/proc/1/nowhere")
        #expect(service.checkout?.repository == nil && service.directory == "/proc/1/nowhere")
    }
}
