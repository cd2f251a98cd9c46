import Manifest
import Plan
import Platform

extension LocatedProject {
    /// Decides where the git refs of a plan's versions are checked out, and has them built and run there: in the same
    /// folder of the worktree as the service's directory is in its own repository.
    public func placeCheckouts(in plan: inout Plan, kernel: Kernel = .real) {
        for service in plan.services.indices {
            for version in plan.services[service].service.versions.indices {
                place(&plan.services[service].service.versions[version].service, kernel)
            }
        }
    }

    private func place(_ service: inout Service, _ kernel: Kernel) {
        guard let checkout = service.checkout, checkout.worktree.isEmpty else { return }
        let worktree = Path.join(worktreesFolder, Path.part(service.name))
        // As git sees it: a link may lead into another repository.
        let directory = (try? kernel.realPath(service.directory)) ?? Path.join("/", service.directory)
        let repository = repository(of: directory, kernel)
        service.checkout = Checkout(ref: checkout.ref, repository: repository, worktree: worktree)
        if let repository {
            service.directory = Path.join(worktree, String(directory.dropFirst(repository.count).drop { $0 == "/" }))
        }
    }

    /// The nearest folder above that holds `.git`: a folder, or a file where it is itself a worktree or a submodule.
    private func repository(of directory: String, _ kernel: Kernel) -> String? {
        var folder = directory
        while kernel.status(Path.join(folder, ".git")) == nil {
            if folder == "/" { return nil }
            folder = Path.parent(folder)
        }
        return folder
    }
}
