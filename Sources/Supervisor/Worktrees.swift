import EventLoop
import Manifest
import Platform

/// Checks git refs out into folders of devmesh's own, and takes these away again. git itself does both, as a child.
///
///     git worktree add ─▶ worktrees/members@main/ ─▶ its submodules ─▶ build, run … ─▶ git worktree remove
///
/// Hooks of the repository don't run: they are made for its owner's own checkout.
final class Worktrees {
    private let loop: EventLoop
    private let trees: ProcessTrees
    private let marker: String
    /// Those whose checkout has been seen to succeed, with their repositories; what else stands in their places is made
    /// anew.
    private var whole: [String: String] = [:]
    /// Those that are being taken away, with what waits for that.
    private var removals: [String: [() -> Void]] = [:]
    private var waitingForRest: [() -> Void] = []

    private static let settings = ["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"]

    init(on loop: EventLoop, trees: ProcessTrees, project: String) {
        self.loop = loop
        self.trees = trees
        marker = project + "/worktrees"
    }

    // MARK: Checking out

    /// What has to be done so that the worktree holds what the ref names now, and nothing else that git knows of.
    func steps(to checkout: Checkout, for service: Service, _ inherited: [String: String]) -> [BuildStep] {
        let environment = Self.cleaned(inherited)
        let start = "\(service.name) can't be checked out: "
        let failure = { (status: ExitStatus) in start + "git failed, \(status.inWords); its words stand in the log" }
        let path = checkout.worktree
        let git = { [loop] (arguments: [String], folder: String) throws(LaunchFailure) in
            try Self.git(arguments, in: folder, environment, loop.kernel, start)
        }
        let repository = { () throws(LaunchFailure) in
            guard let repository = checkout.repository else {
                throw LaunchFailure(
                    sentence: start + "\(service.directory) is in no git repository; make it one with `git init`, or "
                        + "choose another `directory`")
            }
            return repository
        }
        return [
            BuildStep(
                request: { () throws(LaunchFailure) in try git(Self.lookUp(checkout.ref), try repository()) },
                isShown: false,
                failure: { start + Self.noRef(checkout, $0) }),
            BuildStep(
                request: { [weak self] () throws(LaunchFailure) in
                    guard let self, whole[path] == nil, loop.kernel.status(path) != nil else { return nil }
                    return SpawnRequest(
                        path: "/bin/rm", arguments: ["rm", "-rf", "--", path], environment: environment)
                }, failure: failure),
            BuildStep(
                request: { [weak self, loop] () throws(LaunchFailure) in
                    if self?.whole.removeValue(forKey: path) != nil, loop.kernel.status(path) != nil {
                        // The ref is asked of the repository: HEAD is something else in the worktree.
                        let script = #"git "$@" checkout --force --detach "$(git -C "$0" rev-parse "$DEVMESH_REF")""#
                        var environment = environment
                        environment["DEVMESH_REF"] = checkout.ref + "^{commit}"
                        return SpawnRequest(
                            path: "/bin/sh", arguments: ["sh", "-c", script, try repository()] + Self.settings,
                            environment: environment, directory: path)
                    }
                    do throws(Errno) { try loop.kernel.makeDirectory(Path.parent(path)) } catch {
                        throw LaunchFailure(sentence: start + "\(Path.parent(path)) can't be made: \(error)")
                    }
                    return try git(
                        Self.settings + ["worktree", "add", "--force", "--detach", path, checkout.ref],
                        try repository())
                }, failure: failure, succeeded: { [weak self] in self?.whole[path] = checkout.repository }),
            BuildStep(
                request: { [weak self, loop] () throws(LaunchFailure) in
                    guard loop.kernel.status(Path.join(path, ".gitmodules")) != nil else { return nil }
                    // What this leaves when it fails is made anew, too.
                    self?.whole[path] = nil
                    return try git(Self.settings + ["submodule", "update", "--init", "--recursive", "--force"], path)
                }, failure: failure, succeeded: { [weak self] in self?.whole[path] = checkout.repository }),
        ]
    }

    /// Looks whether the repository has the ref; `done` gets why it can't be used, nil where it can.
    func check(_ checkout: Checkout, _ inherited: [String: String], _ done: @escaping (String?) -> Void) {
        guard let repository = checkout.repository else { return done("it is in no git repository") }
        do throws(LaunchFailure) {
            let request = try Self.git(
                Self.lookUp(checkout.ref), in: repository, Self.cleaned(inherited), loop.kernel, "")
            run(request) { status in
                done(status.map { $0.isSuccess ? nil : Self.noRef(checkout, $0) } ?? "git can't be started")
            }
        } catch { done(error.sentence) }
    }

    private static func lookUp(_ ref: String) -> [String] { ["rev-parse", "--quiet", "--verify", ref + "^{commit}"] }

    /// As git-rev-parse(1) has it, 1 says that there is none; what else is wrong, as with the owner, git tells better.
    private static func noRef(_ checkout: Checkout, _ status: ExitStatus) -> String {
        let repository = checkout.repository ?? ""
        return status == .exited(1)
            ? "the repository \(repository) has no ref \(checkout.ref); `git branch -a` there lists branches"
            : "git can't look into \(repository), \(status.inWords); `git -C \(repository) status` says why"
    }

    private static func git(
        _ arguments: [String], in folder: String, _ environment: [String: String], _ kernel: Kernel, _ start: String
    ) throws(LaunchFailure) -> SpawnRequest {
        let path: String
        do throws(Executable.Failure) {
            path = try Executable.find("git", path: environment["PATH"], directory: folder, kernel: kernel)
        } catch { throw LaunchFailure(sentence: start + "there is no program git on its PATH; install it") }
        return SpawnRequest(
            path: path, arguments: ["git"] + arguments, environment: environment, directory: folder)
    }

    /// Without what would lead git elsewhere, as it is set within a hook, and without questions that nobody answers.
    private static func cleaned(_ environment: [String: String]) -> [String: String] {
        var environment = environment
        for name in [
            "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX",
        ] { environment[name] = nil }
        environment["GIT_TERMINAL_PROMPT"] = "0"
        return environment
    }

    // MARK: Taking away

    /// Calls `body` once nothing is being taken away there: at once, as a rule.
    func whenFree(_ path: String, _ body: @escaping () -> Void) {
        if removals[path] == nil { body() } else { removals[path]?.append(body) }
    }

    /// Takes a worktree away, from the disk and from the books of its repository.
    func remove(_ path: String, _ inherited: [String: String], _ done: @escaping () -> Void) {
        whenFree(path) { [self] in
            let repository = whole.removeValue(forKey: path)
            guard repository != nil || loop.kernel.status(path) != nil else { return done() }
            removals[path] = []
            // A folder that is gone is struck from the books as well.
            let remove = #"git "$1" "$2" worktree remove --force --force "$0""#
            let script = "\(remove) || { rm -rf -- \"$0\"; \(remove); }"
            let books = books(of: path).map { ["--git-dir", $0] } ?? ["-C", repository ?? "/"]
            let request = SpawnRequest(
                path: "/bin/sh", arguments: ["sh", "-c", script, path] + books,
                environment: Self.cleaned(inherited), directory: "/")
            run(request) { [self] _ in
                done()
                for body in removals.removeValue(forKey: path) ?? [] { whenFree(path, body) }
                guard isAtRest else { return }
                let waiting = waitingForRest
                waitingForRest = []
                for body in waiting { body() }
            }
        }
    }

    /// Calls `body` once nothing is being taken away anywhere: cut off, git would not have struck it from its books.
    func whenAtRest(_ body: @escaping () -> Void) {
        if isAtRest { body() } else { waitingForRest.append(body) }
    }

    var isAtRest: Bool { removals.isEmpty }

    /// Takes all away, whoever made what is in the folder.
    func removeAll(in folder: String, _ inherited: [String: String], _ done: @escaping () -> Void) {
        let found = ((try? loop.kernel.list(folder)) ?? []).map { Path.join(folder, $0) }
        let paths = Set(found).union(whole.keys)
        var left = paths.count + 1
        let settle = {
            left -= 1
            if left == 0 { done() }
        }
        for path in paths { remove(path, inherited, settle) }
        settle()
    }

    /// The repository that a worktree belongs to, as `.git` in it says: `gitdir: /repository/.git/worktrees/name`.
    private func books(of path: String) -> String? {
        guard let bytes = try? loop.kernel.readFile(Path.join(path, ".git")) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("gitdir: "), let line = text.split(separator: "\n").first else { return nil }
        return Path.parent(Path.parent(String(line.dropFirst(8))))
    }

    /// Runs a program whose output nobody needs; `done` gets how it ended, nil where it could not be started.
    private func run(_ request: SpawnRequest, _ done: @escaping (ExitStatus?) -> Void) {
        trees.spawn(request, marker: marker) { result in
            guard case .success(let (process, _)) = result else { return done(nil) }
            process.onExit = { status, others in
                if others == 0 { return done(status) }
                process.onGone = { done(status) }
            }
        }
    }
}

extension Supervisor {
    /// Looks whether a ref can be checked out; `done` gets why not, nil where it can.
    public func check(_ checkout: Checkout, _ environment: [String: String], _ done: @escaping (String?) -> Void) {
        workshop.worktrees.check(checkout, environment, done)
    }

    /// Takes the worktree of a ref away that nothing runs in any more.
    public func remove(_ checkout: Checkout, _ environment: [String: String], _ done: @escaping () -> Void) {
        workshop.worktrees.remove(checkout.worktree, environment, done)
    }

    /// Takes every worktree of the mesh away: what a crash left before anything is started, or when nothing runs.
    public func removeWorktrees(
        in folder: String, _ environment: [String: String], _ done: @escaping () -> Void = {}
    ) {
        workshop.worktrees.removeAll(in: folder, environment, done)
    }
}
