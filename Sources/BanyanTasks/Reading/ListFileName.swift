import Foundation

/// What a list file's name says: the task, the split and the percentage.
///
/// The name without its extension is cut at underscores. If its last part is a split word (`train`, `val`, `valid`,
/// `validation`, `test`, …) that is the split, and a whole number from 0 to 100 just before it is the percentage:
/// `Art_5_train`. If its last part is such a number and the part before it is a split word, the same holds the other
/// way round: `Art_train_10`. What remains is the task. Any other name is a task's without a split: `Art`, `Art_10`.
struct ListFileName {
  let task: String
  let split: Split?
  let percentage: Int?

  init(_ file: String) {
    let stem = (file as NSString).deletingPathExtension
    let parts = stem.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
    func number(_ index: Int) -> Int? {
      guard parts.indices.contains(index), let value = Int(parts[index]), (0...100).contains(value) else { return nil }
      return value
    }
    func word(_ index: Int) -> Split? { parts.indices.contains(index) ? Split(word: parts[index]) : nil }
    let last = parts.count - 1
    var kept = parts.count
    if let split = word(last), last > 0 {
      self.split = split
      percentage = last > 1 ? number(last - 1) : nil
      kept = percentage == nil ? last : last - 1
    } else if last > 1, let percentage = number(last), let split = word(last - 1) {
      self.split = split
      self.percentage = percentage
      kept = last - 1
    } else {
      split = nil
      percentage = nil
    }
    task = parts[..<kept].joined(separator: "_")
  }
}
