import Manifest

extension PortAssignment {
    /// Gives the project its first block: the one that `ports.first` asks for, else the one it has, else a new one.
    mutating func settleFirstBlock() throws(PlanError) {
        if let first = manifest.firstPort {
            let block = PortBlock(first: first)
            if project.blocks.first != block {
                try checkOwners(of: block)
                move(to: block)
            }
            project.isChosen = true
            return
        }
        let isDisputed = project.isChosen && project.blocks.first.map { isOwnedByOthers($0) } ?? false
        project.isChosen = false
        if project.blocks.isEmpty || isDisputed {
            move(to: try freeBlock())
        }
    }

    /// Finds a block that no project owns and whose ports can all be bound.
    ///
    /// When there is none, projects whose manifest is gone lose theirs, one after another until there is.
    mutating func freeBlock() throws(PlanError) -> PortBlock {
        if let block = searchBlock() { return block }
        for other in others where !machine.manifestExists(other.manifest) {
            registry.forget(manifest: other.manifest)
            if let block = searchBlock() { return block }
        }
        throw .noSpace(limit: limit)
    }

    /// Where blocks end: below the ephemeral range, since the kernel may hand out any port in that for a connection.
    /// A range that leaves no room below it can't be kept out of.
    private var limit: Int {
        let below = machine.ephemeral.lowerBound
        return below >= PortBlock.lowest + PortBlock.size ? min(below, 65_536) : 65_536
    }

    private func searchBlock() -> PortBlock? {
        let pinned = Set(others.flatMap(\.pins.values))
        let insisted = Set(
            manifest.services.flatMap { service in
                if case .fixed(let port) = service.listens {
                    [port, service.port ?? port]
                } else {
                    [service.port ?? 0]
                }
            })
        return stride(from: PortBlock.lowest, through: limit - PortBlock.size, by: PortBlock.size).lazy.map(
            PortBlock.init
        ).first {
            block in
            !project.blocks.contains(where: block.overlaps)
                && !isOwnedByOthers(block)
                && !insisted.contains(block.gateway) && !insisted.contains(block.dns)
                && !block.ports.contains(where: pinned.contains)
                && block.ports.allSatisfy { machine.holder($0) == nil }
        }
    }

    private func isOwnedByOthers(_ block: PortBlock) -> Bool {
        others.contains { $0.blocks.contains(where: block.overlaps) }
    }

    /// Refuses a block of another project, unless that one asked for it too: two checkouts with the same
    /// `ports.first` share it, and can't be up at once. A project whose manifest is gone gives way.
    private mutating func checkOwners(of block: PortBlock) throws(PlanError) {
        for other in others {
            let isOwner = other.blocks.enumerated().contains { place, taken in
                block.overlaps(taken) && !(other.isChosen && place == 0)
            }
            guard isOwner else { continue }
            if machine.manifestExists(other.manifest) {
                throw .blockOwned(first: block.first, owner: other.displayName, manifest: other.manifest)
            }
            registry.forget(manifest: other.manifest)
        }
    }

    /// Puts `block` in place of the first one; the ports in that keep their place in the block.
    private mutating func move(to block: PortBlock) {
        let old = project.blocks.first
        let further = project.blocks.dropFirst().filter { !$0.overlaps(block) }
        let moved = { (port: Int) -> Int? in
            if let old, old.ports.contains(port) { return block.first + port - old.first }
            return further.contains { $0.ports.contains(port) } ? port : nil
        }
        project.fronts = project.fronts.compactMapValues(moved)
        project.edges = project.edges.compactMapValues(moved)
        project.blocks = [block] + further
    }
}
