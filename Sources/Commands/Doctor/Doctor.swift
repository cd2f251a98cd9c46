import Manifest
import Mesh
import Plan
import Platform
import Project

/// Looks at everything that devmesh and this project need of the machine. It changes nothing, but for what dead meshes
/// left of their sockets: that is removed whenever meshes are listed.
///
///     machine: descriptors, processes, file watches, port range, clock
///     project: manifest → ports, state, disk → programs → TLS → remotes, with `--network` only
struct Doctor {
    var environment: [String: String]
    /// The current folder.
    var directory: String
    /// What `-f` says.
    var file: String?
    /// Whether remotes may be asked.
    var usesNetwork = false
    var kernel = Kernel.real

    func findings() -> [Finding] {
        var findings = machine()
        let places: Places
        do throws(ProjectError) { places = try Places(environment: environment) } catch {
            return findings + [.problem("state", error.description)]
        }
        let read = manifest()
        findings += read.findings + state(read.project, places) + disk(read.project, places)
        guard let project = read.project, let manifest = read.manifest else { return findings + tls(nil) }
        let planned = ports(project, manifest, places)
        findings += planned.findings
        guard let plan = planned.plan else { return findings + tls(nil) }
        findings += programs(plan) + tls(plan)
        if usesNetwork { findings += remotes(plan) }
        let masking = Masking(plan)
        return findings.map { finding in
            var finding = finding
            finding.detail = masking(finding.detail)
            finding.remedy = finding.remedy.map { masking($0) }
            return finding
        }
    }

    /// The project that is meant, and its manifest as far as there is a valid one.
    private func manifest() -> (project: LocatedProject?, manifest: Manifest?, findings: [Finding]) {
        let project: LocatedProject
        do throws(ProjectError) {
            project = try Locator(currentDirectory: directory, environment: environment, kernel: kernel)
                .locate(file: file)
        } catch {
            if case .noManifest(let folder) = error {
                return (nil, nil, [.ok("manifest", Sentences.noManifest(folder))])
            }
            return (nil, nil, [.problem("manifest", error.description)])
        }
        do throws(ProjectError) {
            switch try project.readManifest(environment: environment, currentDirectory: directory, kernel: kernel) {
            case .valid(let manifest, let warnings):
                let name = project.path(seenFrom: directory)
                let valid = Finding.ok("manifest", Sentences.valid(name, manifest.services.count))
                return (project, manifest, [valid] + warnings.map { said($0, .warning) })
            case .invalid(let diagnostics):
                return (project, nil, diagnostics.map { said($0, $0.severity == .error ? .problem : .warning) })
            }
        } catch {
            return (project, nil, [.problem("manifest", error.description)])
        }
    }

    private func said(_ diagnostic: Diagnostic, _ state: Finding.State) -> Finding {
        Finding(check: "manifest", state: state, detail: diagnostic.fact, remedy: diagnostic.sentence.mend)
    }
}
