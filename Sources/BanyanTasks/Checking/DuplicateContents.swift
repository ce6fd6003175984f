import BanyanFoundation

/// Finds contents that occur in two splits or under two labels of one task.
///
/// Such a file would be learned from and tested on, or be right and wrong at once. Equal contents within one class and
/// split are no harm: sampling takes them as one.
struct DuplicateContents {
  let task: ClassificationTask
  /// Whether to keep the first of equal contents rather than refuse.
  let dropping: Bool

  /// The task without the copies, which are added to `skipped`; the order of the rest stays.
  func resolve(skipped: inout [SkippedFile]) throws -> ClassificationTask {
    let samples = task.samples
    let rank = { (index: Int) in samples[index].split.flatMap(Split.allCases.firstIndex) ?? 0 }
    // Train first, so that of a train and a test file the test file is the copy.
    let order = samples.indices.sorted { (rank($0), $0) < (rank($1), $1) }
    var first: [String: Int] = [:]
    first.reserveCapacity(samples.count)
    var copies: Set<Int> = []
    for index in order {
      let sample = samples[index]
      guard let known = first[sample.sha256] else {
        first[sample.sha256] = index
        continue
      }
      let other = samples[known]
      guard other.split != sample.split || other.label != sample.label else { continue }
      guard dropping else { throw conflict(other, sample) }
      copies.insert(index)
      skipped.append(
        SkippedFile(
          task: task.name, path: sample.path, reason: .duplicate,
          detail: "its content is that of \(other.path) (\(describe(other)))"))
    }
    guard !copies.isEmpty else { return task }
    var kept = task
    kept.samples = samples.indices.filter { !copies.contains($0) }.map { samples[$0] }
    return kept
  }

  private func conflict(_ a: Sample, _ b: Sample) -> BanyanError {
    let what = a.split != b.split ? "the same content is in two splits" : "the same content is under two labels"
    return BanyanError(
      .malformed, at: "task \(task.name)",
      "\(what): \(a.path) (\(describe(a))) and \(b.path) (\(describe(b)))",
      remedy: "Take one out, or drop duplicates (--drop-duplicates).")
  }

  private func describe(_ sample: Sample) -> String {
    let name = task.classNames.indices.contains(sample.label) ? task.classNames[sample.label] : "label \(sample.label)"
    return sample.split.map { "\($0.rawValue), \(name)" } ?? name
  }
}
