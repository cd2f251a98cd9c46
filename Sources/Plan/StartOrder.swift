import Manifest

extension Plan {
    /// Puts services in layers: each one `dependsOn` services of earlier layers only. Within a layer they are in the
    /// manifest's order and can start at once.
    ///
    /// The manifest refuses cycles; if there is one all the same, its members come last, together.
    public var startLayers: [[ServicePlan]] {
        var layers: [[ServicePlan]] = []
        var rest = services
        var placed: Set<String> = []
        while !rest.isEmpty {
            let waits = { (planned: ServicePlan) in
                !planned.service.dependsOn.allSatisfy { placed.contains($0.service.lowercased()) }
            }
            let layer = rest.filter { !waits($0) }
            guard !layer.isEmpty else { return layers + [rest] }
            rest = rest.filter(waits)
            placed.formUnion(layer.map { $0.name.lowercased() })
            layers.append(layer)
        }
        return layers
    }

    /// Adds to `names` all that they transitively `dependsOn`, in the manifest's order.
    public func closure(of names: [String]) -> [ServicePlan] {
        var reached: Set<String> = []
        var open = names.map { $0.lowercased() }
        while let name = open.popLast() {
            guard reached.insert(name).inserted, let planned = service(name) else { continue }
            open += planned.service.dependsOn.map { $0.service.lowercased() }
        }
        return services.filter { reached.contains($0.name.lowercased()) }
    }
}
