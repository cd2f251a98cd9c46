/// Finds cycles in a graph.
enum DependencyCycles {
    /// - Parameter edges: for each node those it points at; an edge to itself does not count.
    /// - Returns: each cycle that a search in depth meets, as nodes in their order, from the smallest.
    static func find(_ edges: [[Int]]) -> [[Int]] {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: edges.count)
        var cycles: [[Int]] = []
        for start in edges.indices where marks[start] == .new {
            // The way from `start` to here, with how many edges of each node have been followed.
            var way = [(node: start, next: 0)]
            marks[start] = .open
            while let (node, next) = way.last {
                guard next < edges[node].count else {
                    marks[node] = .done
                    way.removeLast()
                    continue
                }
                way[way.count - 1].next += 1
                let target = edges[node][next]
                if target == node { continue }
                switch marks[target] {
                case .new:
                    marks[target] = .open
                    way.append((target, 0))
                case .open:
                    let cycle = way.drop { $0.node != target }.map(\.node)
                    let smallest = cycle.indices.min { cycle[$0] < cycle[$1] }!
                    cycles.append(Array(cycle[smallest...] + cycle[..<smallest]))
                case .done: break
                }
            }
        }
        return cycles
    }
}
