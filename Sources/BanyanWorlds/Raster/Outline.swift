import Foundation

/// A place in a drawing: x to the right, y downwards.
package typealias Point = SIMD2<Float>

/// A flattened curve, open or closed, in the coordinates of an object's drawing.
///
/// An object is drawn in the square −1 … 1 with y downwards; ``Placement`` takes it to pixels.
package struct Outline {
  var points: [Point]
  var isClosed: Bool

  /// Straight lines through `points`.
  package static func polygon(_ points: [Point]) -> Outline { Outline(points: points, isClosed: true) }

  /// An open line through `points`.
  static func line(_ points: [Point]) -> Outline { Outline(points: points, isClosed: false) }

  /// A whole ellipse.
  static func ellipse(_ centre: Point, _ radiusX: Float, _ radiusY: Float) -> Outline {
    arc(centre, radiusX, radiusY, from: 0, to: 1, isClosed: true)
  }

  /// A whole circle.
  static func circle(_ centre: Point, _ radius: Float) -> Outline { ellipse(centre, radius, radius) }

  /// The part of an ellipse between two shares of a turn; 0 points right, 0.25 down.
  static func arc(
    _ centre: Point, _ radiusX: Float, _ radiusY: Float, from: Float, to: Float, isClosed: Bool = false
  ) -> Outline {
    let share = abs(to - from)
    let count = max(4, Int((share * 28).rounded(.up)))
    let last = isClosed && share >= 1 ? count - 1 : count
    let points = (0...last).map { step -> Point in
      let angle = (from + (to - from) * Float(step) / Float(count)) * 2 * .pi
      return centre + Point(cos(angle) * radiusX, sin(angle) * radiusY)
    }
    return Outline(points: points, isClosed: isClosed)
  }

  /// A rectangle with rounded corners.
  static func rectangle(_ left: Float, _ top: Float, _ right: Float, _ bottom: Float, corner: Float = 0) -> Outline {
    let radius = min(corner, (right - left) / 2, (bottom - top) / 2)
    guard radius > 0 else {
      return polygon([Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom)])
    }
    let corners: [(Point, Float)] = [
      (Point(right - radius, top + radius), 0.75), (Point(right - radius, bottom - radius), 0),
      (Point(left + radius, bottom - radius), 0.25), (Point(left + radius, top + radius), 0.5),
    ]
    let points = corners.flatMap { centre, start in
      (0...3).map { step -> Point in
        let angle = (start + Float(step) / 12) * 2 * .pi
        return centre + Point(cos(angle), sin(angle)) * radius
      }
    }
    return polygon(points)
  }

  /// A smooth curve through `points` (Catmull-Rom), open or closed.
  static func smooth(_ points: [Point], isClosed: Bool) -> Outline {
    let count = points.count
    guard count > 2 else { return Outline(points: points, isClosed: isClosed) }
    func at(_ index: Int) -> Point {
      isClosed ? points[(index + count) % count] : points[min(max(index, 0), count - 1)]
    }
    var result: [Point] = []
    let spans = isClosed ? count : count - 1
    for span in 0..<spans {
      let (a, b, c, d) = (at(span - 1), at(span), at(span + 1), at(span + 2))
      for step in 0..<5 {
        let t = Float(step) / 5
        let linear: Point = b * 2 + (c - a) * t
        let second: Point = a * 2 - b * 5 + c * 4 - d
        let third: Point = (b - c) * 3 + d - a
        let bent: Point = (second + third * t) * (t * t)
        result.append((linear + bent) * 0.5)
      }
    }
    if !isClosed { result.append(points[count - 1]) }
    return Outline(points: result, isClosed: isClosed)
  }

  /// The outline turned clockwise by a share of a turn.
  func turned(_ share: Float, about centre: Point = .zero) -> Outline {
    let (c, s) = (cos(share * 2 * .pi), sin(share * 2 * .pi))
    return mapped {
      let d = $0 - centre
      return centre + Point(d.x * c - d.y * s, d.x * s + d.y * c)
    }
  }

  /// The outline moved.
  func moved(_ x: Float, _ y: Float) -> Outline { mapped { $0 + Point(x, y) } }

  /// The outline stretched about a centre.
  func scaled(_ x: Float, _ y: Float, about centre: Point = .zero) -> Outline {
    mapped { centre + ($0 - centre) * Point(x, y) }
  }

  /// The outline mirrored at the vertical line through `x`.
  func mirrored(at x: Float = 0) -> Outline { mapped { Point(2 * x - $0.x, $0.y) } }

  /// A closed outline followed by its own mirror image at x = 0: half a symmetric shape makes the whole.
  func withMirror() -> Outline {
    Outline(points: points + points.reversed().map { Point(-$0.x, $0.y) }, isClosed: true)
  }

  func mapped(_ transform: (Point) -> Point) -> Outline {
    Outline(points: points.map(transform), isClosed: isClosed)
  }

  /// Twice the signed area; positive where the points run clockwise on the screen.
  var signedArea: Float {
    var sum: Float = 0
    for index in points.indices {
      let (a, b) = (points[index], points[(index + 1) % points.count])
      sum += a.x * b.y - b.x * a.y
    }
    return sum
  }

  /// The same points in the direction that makes the signed area positive, or negative for a hole.
  func directed(asHole: Bool) -> Outline {
    (signedArea < 0) == asHole ? self : Outline(points: points.reversed(), isClosed: isClosed)
  }
}
