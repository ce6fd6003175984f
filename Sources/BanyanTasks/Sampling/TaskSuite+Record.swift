import BanyanFoundation

extension TaskSuite {
  /// Takes up the splits of a run's record, so that the run is repeated on the same files.
  ///
  /// Unlike ``split(_:dropDuplicates:)`` nothing is drawn: every recorded sample must still be in the suite, with the same content and
  /// label.
  /// - Throws: A `BanyanError`: `missingInput` where a task or file is gone, `malformed` where a file's content or
  ///   label is another, or where the record is not disjoint.
  public static func split(from recorded: [TaskSplit], suite: TaskSuite) throws -> [TaskSplit] {
    let tasks = Dictionary(suite.tasks.map { ($0.name, $0) }) { first, _ in first }
    for split in recorded {
      guard let task = tasks[split.task] else {
        throw BanyanError(
          .missingInput, at: "task \(split.task)", "the record has it, the suite has no such task",
          remedy: NearNames.remedy(for: split.task, among: tasks.keys))
      }
      let samples = Dictionary(task.samples.map { ($0.path, $0) }) { first, _ in first }
      for sample in [split.train, split.validation, split.test].joined() {
        let place = "task \(split.task): \(sample.path)"
        guard let present = samples[sample.path] else {
          throw BanyanError(
            .missingInput, at: place, "the record has this file, the suite does not",
            remedy: "Restore the file, or draw anew.")
        }
        guard present.sha256 == sample.sha256 else {
          throw BanyanError(
            .malformed, at: place,
            "the file's content is another: expected \(sample.sha256.prefix(12))…, found \(present.sha256.prefix(12))…",
            remedy: "Restore the file, or draw anew.")
        }
        guard present.label == sample.label else {
          throw BanyanError(
            .malformed, at: place, "expected the label \(sample.label), found \(present.label)",
            remedy: "Restore the classes and their order, or draw anew.")
        }
      }
      try split.checkDisjoint()
    }
    return recorded
  }
}
