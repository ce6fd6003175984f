extension PartitionSearch {
  /// A chain of moves of single tasks between groups, in the manner of Kernighan and Lin: it goes on through moves that
  /// cost, as long as tasks are left that have not moved, and then falls back to its best moment.
  struct MoveChain {
    private let tasks: [Int]
    private let affinity: AffinityMatrix
    private let tolerance: Double
    /// Per task, by place in `tasks`, its group; there are as many groups as tasks, most of them empty.
    private var home: [Int]
    private var sizes: [Int]
    /// Per task and group the sum of the task's affinities with the group's other tasks.
    private var links: [[Double]]

    init(_ groups: [[Int]], affinity: AffinityMatrix, tolerance: Double) {
      let members = groups.enumerated().flatMap { group, tasks in tasks.map { (task: $0, group: group) } }
        .sorted { $0.task < $1.task }
      tasks = members.map(\.task)
      home = members.map(\.group)
      self.affinity = affinity
      self.tolerance = tolerance
      sizes = [Int](repeating: 0, count: members.count)
      links = [[Double]](repeating: [Double](repeating: 0, count: members.count), count: members.count)
      for (place, member) in members.enumerated() {
        sizes[member.group] += 1
        for (other, task) in tasks.enumerated() where other != place {
          links[other][member.group] += affinity[task, member.task]
        }
      }
    }

    mutating func run() -> [[Int]] {
      var unmoved = Array(tasks.indices)
      var moves: [(task: Int, from: Int)] = []
      var (total, best, length) = (0.0, tolerance, 0)
      while let move = bestMove(of: unmoved) {
        moves.append((move.task, home[move.task]))
        apply(move.task, to: move.group)
        unmoved.removeAll { $0 == move.task }
        total += move.gain
        if total > best { (best, length) = (total, moves.count) }
      }
      for move in moves.dropFirst(length).reversed() { apply(move.task, to: move.from) }
      var groups = [[Int]](repeating: [], count: tasks.count)
      for (place, group) in home.enumerated() { groups[group].append(tasks[place]) }
      return groups.filter { !$0.isEmpty }
    }

    /// What being in `group` is worth to a task: nothing where it is alone there.
    private func worth(_ task: Int, in group: Int) -> Double {
      let others = sizes[group] - (home[task] == group ? 1 : 0)
      return others == 0 ? 0 : links[task][group] - tolerance
    }

    /// The move with the greatest gain; one empty group stands for all of them.
    private func bestMove(of unmoved: [Int]) -> (task: Int, group: Int, gain: Double)? {
      let empty = sizes.firstIndex(of: 0)
      let targets = sizes.indices.filter { sizes[$0] > 0 || $0 == empty }
      var best: (task: Int, group: Int, gain: Double)?
      for task in unmoved {
        let (from, now) = (home[task], worth(task, in: home[task]))
        for group in targets where group != from && (sizes[group] > 0 || sizes[from] > 1) {
          let gain = worth(task, in: group) - now
          if gain > best?.gain ?? -.infinity { best = (task, group, gain) }
        }
      }
      return best
    }

    private mutating func apply(_ task: Int, to group: Int) {
      let from = home[task]
      let row = affinity.values[tasks[task]]
      for (other, name) in tasks.enumerated() where other != task {
        links[other][from] -= row[name]
        links[other][group] += row[name]
      }
      sizes[from] -= 1
      sizes[group] += 1
      home[task] = group
    }
  }
}
