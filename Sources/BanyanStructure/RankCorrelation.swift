/// Spearman's rank correlation: Pearson's of the ranks, where equal values share the mean of their ranks.
///
/// Unlike the cophenetic correlation of trees it sees order alone.
public enum RankCorrelation {
  /// The correlation of two lists of numbers; `nil` where there are fewer than two pairs, or one list is constant.
  public static func spearman(_ a: [Double], _ b: [Double]) -> Double? {
    guard a.count == b.count, a.count > 1, (a + b).allSatisfy({ !$0.isNaN }) else { return nil }
    let (x, y) = (ranks(a), ranks(b))
    let middle = Double(a.count + 1) / 2
    var (xy, xx, yy) = (0.0, 0.0, 0.0)
    for (p, q) in zip(x, y) {
      xy += (p - middle) * (q - middle)
      xx += (p - middle) * (p - middle)
      yy += (q - middle) * (q - middle)
    }
    return xx > 0 && yy > 0 ? xy / (xx * yy).squareRoot() : nil
  }

  /// Ranks from 1; equal values share the mean of theirs.
  public static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
      for place in start...end { ranks[order[place]] = Double(start + end) / 2 + 1 }
      start = end + 1
    }
    return ranks
  }
}
