/// A colour as red, green, blue in 0 … 1 (linear arithmetic on display values).
package typealias Colour = SIMD3<Float>

/// What styles read of a scene, pixel by pixel: colour, object mask, surface normal, depth and line.
///
/// Parts are laid over each other from back to front, so that what is hidden is gone, lines too.
package final class SceneCanvas {
  package let side: Int
  /// Pixels per 1/64 of the side: what all line widths and textures are measured in.
  let unit: Float
  /// Red, green, blue and how much of the pixel the object covers.
  package let surface: PixelPlane<SIMD4<Float>>  // [side, side]
  /// The unit normal (x, y, z towards the viewer) and the nearness 0 … 1.
  let relief: PixelPlane<SIMD4<Float>>  // [side, side]
  /// How much of the pixel outlines cover.
  package let line: PixelPlane<Float>  // [side, side]
  /// The surface as it was behind the object, for styles that cut the object out.
  let backdropColour: PixelPlane<SIMD4<Float>>  // [side, side]
  private let outerEdge: PixelPlane<Float>
  private let rasterizer: Rasterizer
  private var lineWidth: Float = 0
  private var wobble: Wobble?

  package init(side: Int) {
    self.side = side
    unit = Float(side) / 64
    surface = PixelPlane(count: side * side, filledWith: SIMD4(1, 1, 1, 0))
    backdropColour = PixelPlane(count: side * side, filledWith: SIMD4(1, 1, 1, 0))
    relief = PixelPlane(count: side * side, filledWith: SIMD4(0, 0, 1, 0))
    line = PixelPlane(count: side * side, filledWith: 0)
    outerEdge = PixelPlane(count: side * side, filledWith: 0)
    rasterizer = Rasterizer(side: side)
  }

  /// Empties the canvas for the next picture.
  func clear() {
    surface.fill(SIMD4(1, 1, 1, 0))
    relief.fill(SIMD4(0, 0, 1, 0))
    line.fill(0)
    lineWidth = 0
    wobble = nil
  }

  /// Sets how outlines are drawn from here on; a width of 0 draws none.
  package func setLine(width: Float, wobble: Wobble? = nil) {
    lineWidth = width * unit
    self.wobble = wobble
  }

  /// Sets the colour of every pixel from its place in units of 1/64.
  func background(depth: Float = 0, _ colour: (_ x: Float, _ y: Float) -> Colour) {
    for row in 0..<side {
      for column in 0..<side {
        let c = colour((Float(column) + 0.5) / unit, (Float(row) + 0.5) / unit)
        surface[row * side + column] = SIMD4(c, 0)
        relief[row * side + column] = SIMD4(0, 0, 1, depth * Float(row) / Float(side))
      }
    }
  }

  /// Lays a flat shape of the background, in pixels.
  package func lay(_ outline: Outline, _ colour: Colour, opacity: Float = 1, depth: Float = 0.1) {
    let bounds = rasterizer.fill([outline.directed(asHole: false).points])
    over(bounds, opacity: opacity) { _, _ in (SIMD4(colour, 0), SIMD4(0, 0, 1, depth)) }
    if lineWidth > 0 && opacity == 1 { drawLine(outline.points, isClosed: true, width: lineWidth) }
  }

  /// Ends the backdrop: what is drawn next is the object.
  func keepBackdrop() { backdropColour.copy(surface) }

  /// Draws an object's parts.
  func draw(_ sketch: ObjectSketch, at place: Placement, colours: ObjectColours, isObject: Bool, nearness: Float) {
    for part in sketch.parts { draw(part, place, colours, isObject, nearness) }
  }

  private func draw(
    _ part: ObjectPart, _ place: Placement, _ colours: ObjectColours, _ isObject: Bool, _ nearness: Float
  ) {
    let extent = part.extent
    let colour = SIMD4(colours[part.material], isObject ? 1 : 0)
    let bulge = (extent.high - extent.low) / 2
    let middle = (extent.high + extent.low) / 2
    let base = nearness + part.height * 0.15
    let bounds: PixelBounds
    switch part.form {
    case .region(let outlines):
      bounds = rasterizer.fill(outlines.map { place.pixels($0.points) })
    case .ribbon(let outline, let half):
      bounds = rasterizer.stroke(
        place.pixels(outline.points), isClosed: outline.isClosed, halfWidth: half * place.scale)
    }
    if part.relief == .flat {
      over(bounds, opacity: 1) { _, _ in (colour, SIMD4(0, 0, 1, base)) }
    } else {
      over(bounds, opacity: 1) { x, y in
        let at = (place.drawing(Point(x, y)) - middle) / bulge
        let (u, v): (Float, Float)
        switch part.relief {
        case .barrel: (u, v) = (min(max(at.x, -0.97), 0.97), 0)
        case .roll: (u, v) = (0, min(max(at.y, -0.97), 0.97))
        default:
          let length = (at.x * at.x + at.y * at.y).squareRoot()
          let shrink = length > 0.97 ? 0.97 / length : 1
          (u, v) = (at.x * shrink, at.y * shrink)
        }
        let z = max(1 - u * u - v * v, 0).squareRoot()
        let turned = place.turned(u, v)
        return (colour, SIMD4(turned.x, turned.y, z, base + 0.12 * z))
      }
    }
    guard lineWidth > 0, part.isOutlined else { return }
    switch part.form {
    case .region(let outlines):
      for outline in outlines { drawLine(place.pixels(outline.points), isClosed: true, width: lineWidth) }
    case .ribbon(let outline, let half):
      drawRibbonEdge(place.pixels(outline.points), isClosed: outline.isClosed, halfWidth: half * place.scale)
    }
  }

  /// Lays `value` over the pixels of the last mask.
  private func over(
    _ bounds: PixelBounds, opacity: Float, _ value: (_ x: Float, _ y: Float) -> (SIMD4<Float>, SIMD4<Float>)
  ) {
    guard !bounds.isEmpty else { return }
    let mask = rasterizer.mask
    for row in bounds.top..<bounds.bottom {
      for column in bounds.left..<bounds.right {
        let index = row * side + column
        let share = mask[index] * opacity
        guard share > 0 else { continue }
        let (colour, shape) = value(Float(column) + 0.5, Float(row) + 0.5)
        surface[index] += (colour - surface[index]) * share
        relief[index] += (shape - relief[index]) * share
        line[index] *= 1 - share
      }
    }
  }

  private func drawLine(_ points: [Point], isClosed: Bool, width: Float) {
    for pass in 0..<(wobble?.passes ?? 1) {
      let path = wobble?.bent(points, pass: pass, unit: unit) ?? points
      let bounds = rasterizer.stroke(path, isClosed: isClosed, halfWidth: width / 2)
      merge(bounds)
    }
  }

  /// The two edges of a ribbon: what is within the line's width of its border.
  private func drawRibbonEdge(_ points: [Point], isClosed: Bool, halfWidth: Float) {
    // A ribbon no wider than the line is itself the line.
    guard halfWidth > lineWidth * 0.75 else {
      drawLine(points, isClosed: isClosed, width: max(lineWidth, 2 * halfWidth))
      return
    }
    let path = wobble?.bent(points, pass: 0, unit: unit) ?? points
    let bounds = rasterizer.stroke(path, isClosed: isClosed, halfWidth: halfWidth + lineWidth / 2)
    guard !bounds.isEmpty else { return }
    outerEdge.copy(rasterizer.mask)
    _ = rasterizer.stroke(path, isClosed: isClosed, halfWidth: max(halfWidth - lineWidth / 2, 0.01))
    for row in bounds.top..<bounds.bottom {
      for column in bounds.left..<bounds.right {
        let index = row * side + column
        let inner = halfWidth - lineWidth / 2 > 0.3 ? rasterizer.mask[index] : 0
        line[index] = max(line[index], outerEdge[index] - inner)
      }
    }
  }

  private func merge(_ bounds: PixelBounds) {
    guard !bounds.isEmpty else { return }
    for row in bounds.top..<bounds.bottom {
      for column in bounds.left..<bounds.right {
        let index = row * side + column
        line[index] = max(line[index], rasterizer.mask[index])
      }
    }
  }
}

extension ObjectPart {
  /// The part's extent in the drawing.
  var extent: (low: Point, high: Point) {
    let (outlines, margin): ([Outline], Float) =
      switch form {
      case .region(let outlines): (outlines, 0)
      case .ribbon(let outline, let half): ([outline], half)
      }
    var (low, high) = (Point(repeating: .infinity), Point(repeating: -.infinity))
    for outline in outlines {
      for point in outline.points {
        low.replace(with: point, where: point .< low)
        high.replace(with: point, where: point .> high)
      }
    }
    let least = Point(repeating: 0.01)
    return (low - margin - least, high + margin + least)
  }
}

/// How a freehand line departs from the outline that it follows.
package struct Wobble {
  /// How often each line is drawn.
  var passes: Int
  /// The largest departure in 1/64 of the side.
  var amount: Float
  /// Makes one picture's hand differ from the next.
  var seed: UInt32

  /// The outline bent by slow waves; another pass bends differently.
  func bent(_ points: [Point], pass: Int, unit: Float) -> [Point] {
    points.map { point in
      let at = point / unit
      let x = Texture.smooth(at.x * 0.16 + Float(pass) * 31, at.y * 0.16, seed) - 0.5
      let y = Texture.smooth(at.x * 0.16, at.y * 0.16 + 57 + Float(pass) * 31, seed) - 0.5
      return point + Point(x, y) * (2 * amount * unit)
    }
  }
}
