/// A rendered picture with everything that is known about it.
public struct WorldPicture: Sendable, Equatable {
  /// The number of columns and of rows.
  public let side: Int
  /// Red, green and blue, row by row.
  public let pixels: [UInt8]  // [side, side, 3]
  /// How much of each pixel the object covers, 0 … 255.
  public let mask: [UInt8]  // [side, side]
  /// How near each pixel is, 0 (far) … 65535 (near).
  public let depth: [UInt16]  // [side, side]
  /// What it shows.
  public let object: ObjectClass
  /// The object's colour; what captions name where the style shows it.
  public let colour: ColourName
  /// How large the object is.
  public let size: SizeName
  /// Where it stands.
  public let position: PositionName
  /// How it is rendered.
  public let style: Style
  /// What a person might write about it.
  public let caption: String
}

/// Renders scenes; holds the canvas that it draws on, so one thread uses it at a time.
public final class WorldPainter {
  /// The number of columns and of rows of its pictures.
  public let side: Int
  private let canvas: SceneCanvas

  /// A painter of pictures of the given side, in pixels.
  public init(side: Int) {
    self.side = max(side, 16)
    canvas = SceneCanvas(side: self.side)
  }

  /// The picture of an object in a style; the same for the same seed and label.
  public func picture(
    of object: ObjectClass, style: Style, variant: StyleVariant = StyleVariant(), seed: UInt64, label: String
  ) -> WorldPicture {
    let stream = SceneStream(seed: seed, label: label)
    var scene = Scene(object, side: side, stream: stream)
    let rendering = style.rendering
    canvas.clear()
    let line = rendering.line(scene)
    canvas.setLine(width: line.width * variant.lineWeight, wobble: line.wobble)
    rendering.backdrop(canvas, &scene, variant)
    canvas.keepBackdrop()
    canvas.draw(scene.sketch, at: scene.place, colours: scene.colours, isObject: true, nearness: 0.5)
    let colours = rendering.develop(canvas, scene, variant).finished(variant, seed: scene.textureSeed)
    var words = ShapeChoice(stream.generator("caption"))
    let caption = CaptionWriter(scene: scene, style: style).caption(&words)
    let mask = (0..<side * side).map { UInt8(min(max(canvas.surface[$0].w, 0), 1) * 255 + 0.5) }
    let depth = (0..<side * side).map { UInt16(min(max(canvas.relief[$0].w, 0), 1) * 65535 + 0.5) }
    return WorldPicture(
      side: side, pixels: colours.bytes(), mask: mask, depth: depth, object: object, colour: scene.colour,
      size: scene.size, position: scene.position, style: style, caption: caption)
  }
}
