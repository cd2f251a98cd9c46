import Manifest
import Plan
import Platform

extension LocatedProject {
    /// A plan with what came up on the way to it.
    public struct Planned: Sendable {
        public var plan: Plan
        /// Ports that some project owns and instances must keep off: for `PrivatePorts`.
        public var claimedPorts: Set<Int>
        /// A sentence for the user, if the port registry was damaged.
        public var note: String?
    }

    /// Plans a manifest of this project and records the ports that are given for the first time.
    ///
    /// Nothing is said about given ports that somebody else holds: for that there is `checkFree`.
    public func plan(
        _ manifest: Manifest, environment: [String: String], places: Places, kernel: Kernel = .real
    ) throws(ProjectError) -> Planned {
        let machine = machine(kernel)
        let copy = try? kernel.readFile(portsCopy)
        let outcome = try RegistryFile(places, kernel: kernel).update { registry throws(PlanError) in
            if let copy { registry.restore(manifest: self.manifest, from: copy) }
            let plan = try Plan.make(manifest, registry: &registry, environment: environment, machine: machine)
            let own = PortRegistry(projects: registry.projects.filter { $0.manifest == self.manifest })
            // Here, since the registry's lock keeps others from writing it at the same time.
            self.keepCopy(own.serialized(), instead: copy, kernel)
            return (plan: plan, claimed: Set(registry.projects.flatMap(\.claims)))
        }
        var plan = outcome.result.plan
        let claimed = outcome.result.claimed.union(plan.insistedPorts.keys)
        placeCheckouts(in: &plan, kernel: kernel)
        return Planned(plan: plan, claimedPorts: claimed, note: outcome.note)
    }

    /// Plans a manifest as `plan` would, and writes nothing down.
    ///
    /// - Returns: the plan, with the registry as it is.
    public func draft(
        _ manifest: Manifest, environment: [String: String], places: Places, kernel: Kernel = .real
    ) throws(ProjectError) -> (plan: Plan, registry: RegistryFile.Content) {
        let content = try RegistryFile(places, kernel: kernel).read()
        var registry = content.registry
        if let copy = try? kernel.readFile(portsCopy) { registry.restore(manifest: self.manifest, from: copy) }
        do throws(PlanError) {
            let machine = machine(kernel)
            return (
                try Plan.make(manifest, registry: &registry, environment: environment, machine: machine), content
            )
        } catch { throw .plan(error) }
    }

    private func machine(_ kernel: Kernel) -> Machine {
        Machine(
            ephemeral: ephemeralPorts(kernel), holder: PortProbe(kernel: kernel).owner,
            manifestExists: { kernel.status($0) != nil })
    }

    /// Keeps the project's own ports beside its state, so that they outlive the loss of the registry. A project that
    /// was never up has no state folder and keeps none; one that can't be written is no reason to stop.
    private func keepCopy(_ text: String, instead former: [UInt8]?, _ kernel: Kernel) {
        let bytes = Array(text.utf8)
        guard bytes != former, kernel.status(stateFolder) != nil else { return }
        try? kernel.replaceFile(portsCopy, with: bytes, isDurable: false)
    }

    /// Refuses a plan whose ports somebody else holds, or whose programs insist on a port that those of another mesh
    /// that is up insist on. Call it before something is started.
    ///
    /// - Parameter held: ports that this mesh itself listens on already.
    public func checkFree(
        _ plan: Plan, besides held: Set<Int> = [], places: Places, kernel: Kernel = .real
    ) throws(ProjectError) {
        do throws(PlanError) {
            if !plan.insistedPorts.isEmpty {
                for mesh in MeshRecord.all(places, kernel: kernel) where mesh.manifest != manifest {
                    try plan.checkInsistedPorts(against: mesh.insistedPorts, of: mesh.name)
                }
            }
            try plan.checkPorts(besides: held, holder: PortProbe(places: places, kernel: kernel).owner)
        } catch {
            throw .plan(error)
        }
    }
}
