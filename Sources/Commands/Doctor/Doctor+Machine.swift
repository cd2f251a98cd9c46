import Plan
import Platform
import Project

/// What the machine allows.
extension Doctor {
    func machine() -> [Finding] {
        var findings = [
            Doctor.descriptors(ThisProcess.limits(.openFiles)), Doctor.processes(ThisProcess.limits(.processes)),
            Doctor.portRange(ephemeralPorts(kernel)),
        ]
        if let watches = number("max_user_watches"), let instances = number("max_user_instances") {
            findings.append(Doctor.fileWatches(watches, instances: instances))
        }
        if ControlGroup.areKnown(kernel: kernel) {
            findings.append(Doctor.controlGroups(below: ControlGroup.delegated(kernel: kernel)))
        }
        findings.append(Doctor.loopback(hasV6: hasLoopback6(kernel)))
        findings.append(Doctor.clock(.now))
        return findings
    }

    /// devmesh raises its own soft limit to the hard one; what it starts gets the soft one.
    static func descriptors(_ limits: ResourceLimits) -> Finding {
        let detail = Sentences.openFiles(limits)
        // A connection through a front takes two.
        return limits.hard < 4096
            ? .warning("descriptors", detail, Shortage.openFiles.remedy) : .ok("descriptors", detail)
    }

    static func processes(_ limits: ResourceLimits) -> Finding {
        let detail = Sentences.processes(limits)
        return limits.soft < 512 ? .warning("processes", detail, Shortage.processes.remedy) : .ok("processes", detail)
    }

    /// Many tools watch folders, each folder for itself, and share these with devmesh.
    static func fileWatches(_ watches: Int, instances: Int) -> Finding {
        let detail = Sentences.fileWatches(watches, instances)
        if watches < 65_536 { return .warning("file watches", detail, Shortage.watches.remedy) }
        if instances < 128 { return .warning("file watches", detail, Shortage.watchers.remedy) }
        return .ok("file watches", detail)
    }

    /// - Parameter range: from which the kernel takes ports for connections.
    static func portRange(_ range: ClosedRange<Int>) -> Finding {
        let detail = Sentences.ephemeral(range)
        // Those of instances, and the first block of a project.
        let ours = PrivatePorts.range.lowerBound...PortBlock(first: PortBlock.lowest).ports.upperBound
        guard range.overlaps(ours) else { return .ok("port range", detail) }
        return .warning("port range", Sentences.ephemeralOverlaps(range), Sentences.mendEphemeral)
    }

    static func controlGroups(below folder: String?) -> Finding {
        .ok("control groups", Sentences.controlGroups(below: folder))
    }

    static func loopback(hasV6: Bool) -> Finding { .ok("loopback", Sentences.loopback(hasV6: hasV6)) }

    /// A clock that is far off makes every certificate invalid.
    static func clock(_ now: WallTime) -> Finding {
        let text = now.rfc3339()
        return text < "2025"
            ? .problem("clock", Sentences.clockIsBehind(text), Sentences.mendClock) : .ok("clock", text)
    }

    /// Of inotify(7); nil where the system has none.
    private func number(_ name: String) -> Int? {
        guard let bytes = try? kernel.readFile("/proc/sys/fs/inotify/" + name) else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
    }
}
