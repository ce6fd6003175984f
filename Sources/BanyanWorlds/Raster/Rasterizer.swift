/// A rectangle of pixels: columns and rows from `left`, `top` up to and without `right`, `bottom`.
package struct PixelBounds {
  package var left: Int
  package var top: Int
  package var right: Int
  package var bottom: Int

  package var isEmpty: Bool { left >= right || top >= bottom }
}

/// Turns outlines in pixel coordinates into the share of every pixel that they cover.
///
/// Regions are exact: each edge adds the signed area to its right, and a running sum along the row gives the coverage.
/// Ribbons are the distance to the nearest segment, softened over one pixel, which gives round ends and joins.
package final class Rasterizer {
  package let side: Int
  /// Coverage, valid inside the bounds that the last call returned.
  package let mask: PixelPlane<Float>  // [side, side]
  private let areas: PixelPlane<Float>  // [side, side + 2]

  package init(side: Int) {
    self.side = side
    mask = PixelPlane(count: side * side, filledWith: 0)
    areas = PixelPlane(count: side * (side + 2), filledWith: 0)
  }

  /// The coverage of the inside of closed outlines; those of negative area are holes.
  package func fill(_ outlines: [[Point]]) -> PixelBounds {
    let bounds = pixels(around: outlines, margin: 0)
    guard !bounds.isEmpty else { return bounds }
    let stride = side + 2
    for row in bounds.top..<bounds.bottom {
      for column in bounds.left..<min(bounds.right + 2, stride) { areas[row * stride + column] = 0 }
    }
    for outline in outlines {
      guard var previous = outline.last else { continue }
      for point in outline {
        addEdge(previous, point)
        previous = point
      }
    }
    for row in bounds.top..<bounds.bottom {
      var sum: Float = 0
      for column in bounds.left..<bounds.right {
        sum += areas[row * stride + column]
        mask[row * side + column] = min(1, abs(sum))
      }
    }
    return bounds
  }

  /// Adds an edge's signed area to the cells that it crosses, so that a sum from the left gives the coverage.
  private func addEdge(_ start: Point, _ end: Point) {
    guard start.y != end.y else { return }
    let limit = Float(side)
    // What lies beyond a side counts with its whole height, so an edge is cut where it leaves the picture.
    if let border = start.x * end.x < 0 ? 0 : (start.x - limit) * (end.x - limit) < 0 ? limit : nil {
      let cut = Point(border, start.y + (end.y - start.y) * ((border - start.x) / (end.x - start.x)))
      addEdge(start, cut)
      addEdge(cut, end)
      return
    }
    let sign: Float = start.y < end.y ? 1 : -1
    let (upper, lower) = start.y < end.y ? (start, end) : (end, start)
    let slope = (lower.x - upper.x) / (lower.y - upper.y)
    let stride = side + 2
    let first = max(0, Int(upper.y.rounded(.down)))
    let last = min(side, Int(lower.y.rounded(.up)))
    guard first < last else { return }
    for row in first..<last {
      let top = max(Float(row), upper.y)
      let bottom = min(Float(row + 1), lower.y)
      guard bottom > top else { continue }
      let height = (bottom - top) * sign
      let a = min(max(upper.x + (top - upper.y) * slope, 0), limit)
      let b = min(max(upper.x + (bottom - upper.y) * slope, 0), limit)
      let (left, right) = a < b ? (a, b) : (b, a)
      let base = row * stride
      var column = Int(left)
      // Within one column the covered share is a trapezium; over several it is cut at their borders.
      if right <= Float(column + 1) {
        let share = 1 - ((left + right) / 2 - Float(column))
        areas[base + column] += height * share
        areas[base + column + 1] += height * (1 - share)
        continue
      }
      let perColumn = height / (right - left)
      var from = left
      while from < right {
        let to = min(Float(column + 1), right)
        let part = perColumn * (to - from)
        let share = 1 - ((from + to) / 2 - Float(column))
        areas[base + column] += part * share
        areas[base + column + 1] += part * (1 - share)
        from = to
        column += 1
      }
    }
  }

  /// The coverage of a line of half width `halfWidth` (pixels) through `points`.
  package func stroke(_ points: [Point], isClosed: Bool, halfWidth: Float) -> PixelBounds {
    let bounds = pixels(around: [points], margin: halfWidth + 1)
    guard !bounds.isEmpty else { return bounds }
    for row in bounds.top..<bounds.bottom {
      for column in bounds.left..<bounds.right { mask[row * side + column] = 0 }
    }
    let segments = isClosed ? points.count : points.count - 1
    for index in 0..<max(segments, 0) { addSegment(points[index], points[(index + 1) % points.count], halfWidth) }
    return bounds
  }

  private func addSegment(_ start: Point, _ end: Point, _ halfWidth: Float) {
    let reach = halfWidth + 0.5
    let left = max(0, Int((min(start.x, end.x) - reach - 0.5).rounded(.down)))
    let right = min(side, Int((max(start.x, end.x) + reach + 0.5).rounded(.up)))
    let top = max(0, Int((min(start.y, end.y) - reach - 0.5).rounded(.down)))
    let bottom = min(side, Int((max(start.y, end.y) + reach + 0.5).rounded(.up)))
    guard left < right, top < bottom else { return }
    let along = end - start
    let squared = along.x * along.x + along.y * along.y
    let inverse = squared > 0 ? 1 / squared : 0
    // A line thinner than a pixel covers its pixels only in part.
    let strength = min(1, 2 * halfWidth)
    for row in top..<bottom {
      let y = Float(row) + 0.5 - start.y
      for column in left..<right {
        let x = Float(column) + 0.5 - start.x
        let t = min(max((x * along.x + y * along.y) * inverse, 0), 1)
        let (dx, dy) = (x - t * along.x, y - t * along.y)
        let distance = (dx * dx + dy * dy).squareRoot()
        let share = min(max(max(halfWidth, 0.5) + 0.5 - distance, 0), 1) * strength
        let index = row * side + column
        if share > mask[index] { mask[index] = share }
      }
    }
  }

  private func pixels(around outlines: [[Point]], margin: Float) -> PixelBounds {
    var (low, high) = (Point(repeating: .infinity), Point(repeating: -.infinity))
    for outline in outlines {
      for point in outline {
        low.replace(with: point, where: point .< low)
        high.replace(with: point, where: point .> high)
      }
    }
    guard low.x <= high.x else { return PixelBounds(left: 0, top: 0, right: 0, bottom: 0) }
    let limit = Float(side)
    func clamp(_ value: Float) -> Int { Int(min(max(value, 0), limit)) }
    return PixelBounds(
      left: clamp((low.x - margin).rounded(.down)), top: clamp((low.y - margin).rounded(.down)),
      right: clamp((high.x + margin).rounded(.up)), bottom: clamp((high.y + margin).rounded(.up)))
  }
}
