public import BanyanFoundation

/// Points in `count` clusters, each point in that of the nearest centre (Lloyd's iteration).
///
/// Unlike ``TaskTree`` it needs points and a number of clusters, and builds no hierarchy. Starts are drawn far from each
/// other: each next one with a chance in proportion to its squared distance from those before.
/// Paper: Arthur and Vassilvitskii, *k-means++: The Advantages of Careful Seeding*, SODA 2007.
public enum KMeans {
  /// The cluster of every point, from 0; none is empty as long as there are enough different points.
  ///
  /// - Parameters:
  ///   - points: [points, dimensions].
  ///   - count: How many clusters; at most as many as points.
  ///   - generator: Draws the starts.
  ///   - iterations: It ends after so many rounds even where points still move.
  /// - Throws: A `BanyanError` of kind `usage` where there are fewer points than clusters, or points of several lengths.
  public static func clusters(
    of points: [[Double]], count: Int, generator: inout SeededGenerator, iterations: Int = 300
  ) throws -> [Int] {
    guard count >= 1, count <= points.count, points.allSatisfy({ $0.count == points[0].count }) else {
      throw BanyanError(
        .usage, at: "k-means", "expected 1 to \(points.count) clusters of points of one length, found \(count)")
    }
    var centres = [points[generator.integer(below: points.count)]]
    while centres.count < count {
      let chances = points.map { point in centres.map { squared($0, point) }.min() ?? 0 }
      let total = chances.reduce(0, +)
      var left = generator.uniform() * total
      let next = chances.indices.first { index in
        left -= chances[index]
        return left < 0
      }
      // Where all points are centres already, any will do.
      centres.append(points[next ?? generator.integer(below: points.count)])
    }
    var clusters = points.map { nearest($0, centres) }
    for _ in 0..<iterations {
      for cluster in centres.indices {
        let members = points.indices.filter { clusters[$0] == cluster }
        guard !members.isEmpty else {
          // A cluster that lost all its points begins anew with the one that is farthest from its own centre.
          let farthest = points.indices.max {
            squared(centres[clusters[$0]], points[$0]) < squared(centres[clusters[$1]], points[$1])
          }
          if let farthest {
            centres[cluster] = points[farthest]
            clusters[farthest] = cluster
          }
          continue
        }
        centres[cluster] = points[0].indices.map { axis in
          members.reduce(0) { $0 + points[$1][axis] } / Double(members.count)
        }
      }
      let moved = points.map { nearest($0, centres) }
      if moved == clusters { break }
      clusters = moved
    }
    return clusters
  }

  private static func nearest(_ point: [Double], _ centres: [[Double]]) -> Int {
    var best = (index: 0, distance: Double.infinity)
    for (index, centre) in centres.enumerated() {
      let distance = squared(centre, point)
      if distance < best.distance { best = (index, distance) }
    }
    return best.index
  }

  private static func squared(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
}
