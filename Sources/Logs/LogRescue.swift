import Platform

/// Stores what a log thread that was killed with its process had read, and what is still in the pipes.
public enum LogRescue {
    /// To be called once nobody writes to the pipes any more, in a process that has the descriptors of the dead one
    /// (`Guardian`). An unfinished line is stored as it is.
    ///
    /// - Parameter ending: a line of devmesh's own for each service that was running.
    /// - Returns: the services of which something could not be stored.
    public static func run(
        _ output: UnstoredOutput, folder: String, ending: String? = nil, kernel: Kernel = .real
    ) -> [(service: String, error: Errno)] {
        let remains = output.remains()
        for each in remains {
            guard let turn = each.unstored else { continue }
            SegmentFolder(of: each.service, in: folder, kernel: kernel).takeBack(to: turn.nextSeq, size: turn.size)
        }
        let encoder = RecordEncoder(nextSeq: 1)
        encoder.resume(behind: LogArchive.newestSeq(in: folder, kernel: kernel) ?? 0)
        var stores: [String: LogStore] = [:]
        // What was read comes before what was not.
        for each in remains.filter({ $0.unstored != nil }) + remains.filter({ $0.unstored == nil }) {
            let store =
                stores[each.service]
                ?? LogStore(
                    folder: Path.join(folder, Path.part(each.service)), limit: .max, encoder: encoder, kernel: kernel)
            stores[each.service] = store
            finish(each, store, into: output.scratch, kernel)
        }
        return stores.sorted { $0.key < $1.key }.compactMap { service, store in
            if let ending { store.note(ending) }
            store.close()
            return store.failure.map { (service, $0) }
        }
    }

    private static func finish(
        _ remains: UnstoredOutput.Remains, _ store: LogStore, into scratch: UnsafeMutableRawBufferPointer,
        _ kernel: Kernel
    ) {
        var splitter = remains.splitter
        let isTerminal = Kernel.isTerminal(remains.inode)
        func feed(_ bytes: UnsafeRawBufferPointer, at time: WallTime) {
            store.begin(remains.stream, instance: remains.instance, time: time)
            splitter.feed(bytes) { store.append(isTerminal ? withoutReturn($0, $1) : $0, $1) }
            store.endBatch()
        }
        if let turn = remains.unstored { feed(turn.bytes, at: turn.time ?? .now) }
        // A number may have been given to something else since.
        if kernel.pipeInode(ofRaw: remains.raw) == remains.inode {
            let pipe = Descriptor(owning: remains.raw)
            try? kernel.setNonblocking(pipe)
            // Whatever still writes must not keep this going; errors of a pipe mean that nothing more will come from it.
            var rest = LogPipe.mostInPipe
            while rest > 0, case .bytes(let count)? = try? kernel.read(pipe, into: scratch) {
                rest -= count
                feed(UnsafeRawBufferPointer(rebasing: scratch[..<count]), at: .now)
            }
        }
        guard splitter.isUnfinished else { return }
        store.begin(remains.stream, instance: remains.instance, time: .now)
        splitter.finish { store.append($0, $1) }
        store.endBatch()
    }
}

extension SegmentFolder {
    /// Takes away the records from number `seq` on, which are about to be written again.
    /// - Parameter size: of the newest segment that was there before them, in bytes.
    func takeBack(to seq: Int, size: Int) {
        for segment in segments().reversed() {
            guard segment.firstSeq < seq else {
                try? kernel.remove(path(of: segment))
                continue
            }
            if segment.size > size, let file = try? kernel.open(path(of: segment), .readWrite) {
                try? kernel.truncate(file, to: size)
            }
            return
        }
    }
}
