import Platform

/// Timers by time: a binary heap in which each timer knows its place, so that cancelling leaves nothing behind.
struct TimerHeap {
    private var heap: [Timer] = []

    var isEmpty: Bool { heap.isEmpty }

    mutating func insert(_ timer: Timer) {
        heap.append(timer)
        timer.place = heap.count - 1
        siftUp(heap.count - 1)
    }

    mutating func remove(_ timer: Timer) {
        let place = timer.place
        guard place >= 0 else { return }
        timer.place = -1
        let last = heap.removeLast()
        if last !== timer {
            put(last, at: place)
            siftUp(place)
            siftDown(last.place)
        }
    }

    mutating func removeAll() {
        for timer in heap { timer.place = -1 }
        heap = []
    }

    mutating func popDue(_ now: Instant) -> Timer? {
        guard let first = heap.first, first.due <= now else { return nil }
        remove(first)
        return first
    }

    /// Milliseconds until the first timer is due, rounded up so that it is due then; -1 without timers.
    func timeout(from now: Instant) -> Int32 {
        guard let first = heap.first else { return -1 }
        let nanoseconds = max((first.due - now).nanoseconds, 0)
        return Int32(clamping: (nanoseconds + 999_999) / 1_000_000)
    }

    private mutating func put(_ timer: Timer, at place: Int) {
        heap[place] = timer
        timer.place = place
    }

    private mutating func siftUp(_ start: Int) {
        let timer = heap[start]
        var place = start
        while place > 0, timer.due < heap[(place - 1) / 2].due {
            put(heap[(place - 1) / 2], at: place)
            place = (place - 1) / 2
        }
        put(timer, at: place)
    }

    private mutating func siftDown(_ start: Int) {
        let timer = heap[start]
        var place = start
        while place * 2 + 1 < heap.count {
            var child = place * 2 + 1
            if child + 1 < heap.count, heap[child + 1].due < heap[child].due { child += 1 }
            if timer.due <= heap[child].due { break }
            put(heap[child], at: place)
            place = child
        }
        put(timer, at: place)
    }
}
