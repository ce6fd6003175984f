public import BanyanFoundation

/// Where the object stands, as a caption says it.
public enum PositionName: String, NamedChoice, CaseIterable {
  case left, right, top, bottom, centre

  /// The words after the object.
  public var phrase: String {
    switch self {
    case .left, .right: "on the \(rawValue)"
    case .top, .bottom: "at the \(rawValue)"
    case .centre: "in the centre"
    }
  }
}

/// How large the object is, as a caption says it.
public enum SizeName: String, NamedChoice, CaseIterable {
  case small, medium, large
}

/// One object in one picture, before any style: what, which colour, how large, where and how it is turned.
struct Scene {
  let object: ObjectClass
  let colour: ColourName
  let size: SizeName
  let position: PositionName
  let colours: ObjectColours
  let sketch: ObjectSketch
  let place: Placement
  /// Makes the textures of one picture differ from the next.
  let textureSeed: UInt32
  /// What the style's backdrop is drawn from.
  var choice: ShapeChoice

  /// Draws a scene; every purpose has its own stream, so that a style's backdrop never moves the object.
  init(_ object: ObjectClass, side: Int, stream: SceneStream) {
    self.object = object
    var looks = ShapeChoice(stream.generator("looks"))
    colour = ColourName.allCases[looks.one(of: ColourName.allCases.count)]
    colours = ObjectColours(colour, &looks)
    var shape = ShapeChoice(stream.generator("shape"))
    sketch = object.draw(&shape)
    var pose = ShapeChoice(stream.generator("pose"))
    let share = pose.between(0, 1)
    size = share < 0.25 ? .small : share < 0.75 ? .medium : .large
    let extent: Float =
      switch size {
      case .small: pose.between(0.27, 0.31)
      case .medium: pose.between(0.33, 0.38)
      case .large: pose.between(0.41, 0.46)
      }
    position = PositionName.allCases[pose.one(of: PositionName.allCases.count)]
    let room = max(0, 0.5 - extent * 1.02)
    let off = min(room, pose.between(0.09, 0.17))
    let stray = pose.between(-0.03, 0.03)
    let offset: Point =
      switch position {
      case .left: Point(-off, stray)
      case .right: Point(off, stray)
      case .top: Point(stray, -off)
      case .bottom: Point(stray, off)
      case .centre: Point(stray, pose.between(-0.03, 0.03))
      }
    place = Placement(
      centre: (Point(0.5, 0.5) + offset) * Float(side), scale: extent * Float(side), turn: pose.between(-0.035, 0.035),
      isMirrored: pose.chance(0.5), shear: pose.between(-0.08, 0.08))
    textureSeed = UInt32(truncatingIfNeeded: pose.one(of: 1 << 31))
    choice = ShapeChoice(stream.generator("backdrop"))
  }
}

/// The random streams of one picture.
struct SceneStream {
  var seed: UInt64
  var label: String

  func generator(_ purpose: String) -> SeededGenerator {
    SeededGenerator(seed: seed, label: "\(label) \(purpose)")
  }
}
