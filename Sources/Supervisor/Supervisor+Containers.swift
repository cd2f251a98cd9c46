/// What the fronts need to know of containers.
extension Supervisor {
    /// Whether containers could not be taken away on the way down.
    public var hasLeftContainers: Bool { workshop.containers.areLeft }

    /// Told once, where what takes containers away on the way down is waited for: the program, and for how long at most.
    public var onContainerWait: (_ client: String, _ patience: Duration) -> Void {
        get { workshop.containers.onWait }
        set { workshop.containers.onWait = newValue }
    }

    /// Told before the first container is started: the path of the program that does it, and the variables that it goes
    /// by.
    public var onContainers: (_ client: String, _ environment: [String: String]) -> Void {
        get { workshop.containers.onUse }
        set { workshop.containers.onUse = newValue }
    }

    /// Told once, as soon as a daemon has said at which address containers reach this machine.
    public var onBridge: (String) -> Void {
        get { workshop.containers.onBridge }
        set { workshop.containers.onBridge = newValue }
    }

    /// Looks whether an address is that of one of a service's containers.
    public func isContainer(of service: String, at address: String, _ done: @escaping (Bool) -> Void) {
        workshop.containers.callers.isContainer(of: service, at: address, done)
    }
}
