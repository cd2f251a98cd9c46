import Platform

extension LocatedProject {
    /// Makes the state folder, readable by this user only and ignored by git.
    public func makeStateFolder(_ kernel: Kernel = .real) throws(ProjectError) {
        do throws(Errno) {
            try kernel.makeDirectory(stateFolder)
            let ignore = hiddenFolder + "/.gitignore"
            if kernel.status(ignore) == nil { try kernel.writeAll(kernel.open(ignore, .truncate), "*\n") }
            // Made by hand or by a copy, they may be open to others; logs may hold secrets.
            for folder in [hiddenFolder, stateFolder] where kernel.status(folder)?.mode != 0o700 {
                try kernel.setPermissions(folder, 0o700)
            }
        } catch {
            throw .unwritable(
                path: stateFolder, error, mend: "devmesh keeps logs and state there: make \(directory) writable.")
        }
    }

    /// Where a supervisor in the background says what others say on standard error.
    public func openSupervisorLog(_ kernel: Kernel = .real) throws(ProjectError) -> Descriptor {
        do throws(Errno) { return try kernel.open(supervisorLog, .append) } catch {
            throw .unwritable(
                path: supervisorLog, error, mend: "devmesh's own messages go there: make \(stateFolder) writable.")
        }
    }

    /// Makes the folder of the control socket, which only this user may enter.
    func makeRuntimeFolder(_ places: Places, _ kernel: Kernel) throws(ProjectError) {
        for folder in [places.runtime, runtimeFolder(places)] {
            let real: String
            do throws(Errno) {
                try kernel.makeDirectory(folder)
                let parent = try kernel.realPath(Path.parent(folder))
                real = Path.join(parent, Path.name(folder))
                guard try kernel.realPath(folder) == real else { throw .notPermitted }
            } catch {
                if error == .notPermitted { throw .foreignFolder(path: folder) }
                throw .unwritable(
                    path: folder, error, mend: "Set XDG_RUNTIME_DIR to a folder of your own.")
            }
            // Below /tmp anybody could have made it first.
            guard let status = kernel.status(real), status.owner == ThisProcess.userID else {
                throw .foreignFolder(path: folder)
            }
            if status.mode != 0o700 {
                do throws(Errno) { try kernel.setPermissions(real, 0o700) } catch {
                    throw .foreignFolder(path: folder)
                }
            }
        }
    }
}
