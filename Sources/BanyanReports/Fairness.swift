/// What must be equal for two runs to compare fairly.
enum Fairness {
  /// One sentence per difference between the first run and another.
  static func notes(_ runs: [NamedRecord]) -> [String] {
    guard let first = runs.first else { return [] }
    return runs.dropFirst().flatMap { other in
      differences(first.record, other.record).map { "\(first.name) and \(other.name) \($0)." }
    }
  }

  private static func differences(_ a: RunRecord, _ b: RunRecord) -> [String] {
    var found: [String] = []
    if a.model.sha256 != b.model.sha256 { found.append("stand on different backbones") }
    let onlyOne = Set(a.tasks.keys).symmetricDifference(b.tasks.keys).sorted()
    if !onlyOne.isEmpty {
      found.append("have different tasks (\(listed(onlyOne))), so their averages do not compare")
    }
    if Set(a.seeds) != Set(b.seeds) {
      found.append("have different seeds (\(listed(a.seeds)); \(listed(b.seeds)))")
    }
    let common = a.taskNames.filter { b.tasks[$0] != nil }
    let amounts = common.filter { a.tasks[$0]?.trainSamples != b.tasks[$0]?.trainSamples }
    if let task = amounts.first {
      found.append(
        "learned from different numbers of images (\(task): \(a.tasks[task]?.trainSamples ?? 0) and "
          + "\(b.tasks[task]?.trainSamples ?? 0))")
    }
    let train = common.filter { !amounts.contains($0) && differ(a, b, task: $0, \.train) }
    if !train.isEmpty { found.append("learned from different images of the same seed (\(listed(train)))") }
    let test = common.filter { differ(a, b, task: $0, \.test) }
    if !test.isEmpty { found.append("were tested on different images (\(listed(test)))") }
    return found
  }

  /// Whether, in a seed that both have, one saw other images of a task than the other.
  private static func differ(
    _ a: RunRecord, _ b: RunRecord, task: String, _ part: KeyPath<RecordedSplit, [RecordedSample]>
  ) -> Bool {
    a.runs.contains { run in
      guard let other = b.runs.first(where: { $0.seed == run.seed }) else { return false }
      return contents(run, task, part) != contents(other, task, part)
    }
  }

  private static func contents(
    _ run: SeedRun, _ task: String, _ part: KeyPath<RecordedSplit, [RecordedSample]>
  ) -> [String] {
    run.split.first { $0.task == task }?[keyPath: part].map(\.sha256).sorted() ?? []
  }

  private static func listed(_ items: [some CustomStringConvertible]) -> String {
    let shown = items.prefix(4).map(\.description).joined(separator: ", ")
    return items.count > 4 ? "\(shown) and \(items.count - 4) more" : shown
  }
}
