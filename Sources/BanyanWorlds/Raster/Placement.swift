import Foundation

/// Where an object stands in a picture: from its drawing's coordinates to pixels.
struct Placement {
  /// The centre in pixels.
  var centre: Point
  /// Pixels per unit of the drawing.
  var scale: Float
  /// Clockwise, as a share of a turn.
  var turn: Float
  /// Whether the drawing is mirrored left to right.
  var isMirrored: Bool
  /// How far a unit up moves to the right.
  var shear: Float

  private var cosine: Float { cos(turn * 2 * .pi) }
  private var sine: Float { sin(turn * 2 * .pi) }

  /// The pixels of drawing points.
  func pixels(_ points: [Point]) -> [Point] {
    let (c, s) = (cosine * scale, sine * scale)
    let flip: Float = isMirrored ? -1 : 1
    let (centre, shear) = (centre, shear)
    var pixels = points.map { point -> Point in
      let (x, y) = ((point.x - point.y * shear) * flip, point.y)
      return centre + Point(x * c - y * s, x * s + y * c)
    }
    // Mirroring turns the direction around, which tells holes from outlines.
    if isMirrored { pixels.reverse() }
    return pixels
  }

  /// A direction of the drawing, mirrored and turned as the object is.
  func turned(_ x: Float, _ y: Float) -> Point {
    let (c, s) = (cosine, sine)
    let flipped = isMirrored ? -x : x
    return Point(flipped * c - y * s, flipped * s + y * c)
  }

  /// The drawing's coordinates of a pixel's place.
  func drawing(_ pixel: Point) -> Point {
    let (c, s) = (cosine, sine)
    let d = (pixel - centre) / scale
    let (x, y) = (d.x * c + d.y * s, d.y * c - d.x * s)
    return Point((isMirrored ? -x : x) + y * shear, y)
  }
}
