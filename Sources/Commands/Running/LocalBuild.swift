import Control
import Manifest
import Plan
import Platform

/// A service's build command run here: what `build` does where no mesh is up. Its output goes to standard error as it
/// comes, so that standard output stays devmesh's own.
struct LocalBuild {
    var plan: Plan
    var service: ServicePlan

    func run() -> ActionResult {
        if let checkout = service.service.checkout {
            return ActionResult(service: service.name, ok: false, reason: Sentences.notCheckedOut(checkout.ref))
        }
        guard let build = service.service.build else {
            return ActionResult(service: service.name, ok: false, reason: Sentences.nothingToBuild(service.name))
        }
        let environment = plan.environment(of: service)
        let arguments: [String]
        switch build.resolved({ environment[$0] }) {
        case .shell(let line): arguments = ["/bin/sh", "-c", line]
        case .argv(let words): arguments = words
        }
        let failure = spawn(arguments, environment.values)
        return ActionResult(service: service.name, ok: failure == nil, reason: failure)
    }

    /// Runs a program to its end; why it failed, if it did.
    private func spawn(_ arguments: [String], _ environment: [String: String]) -> String? {
        let directory = service.service.directory
        let path: String
        do throws(Executable.Failure) {
            path = try Executable.find(arguments[0], path: environment["PATH"], directory: directory)
        } catch { return Sentences.unusable(arguments[0], error) }
        let request = SpawnRequest(
            path: path, arguments: arguments, environment: environment, directory: directory, newSession: false)
        do throws(SpawnFailure) {
            let status = ChildTable.wait(try ChildTable.spawn(request, stdin: 0, stdout: 2, stderr: 2))
            return status.isSuccess ? nil : Sentences.buildEnded(status)
        } catch {
            return error.stage == .directory
                ? Sentences.noDirectory(directory, of: service.name) : Sentences.cannotExecute(path, error.error)
        }
    }
}
