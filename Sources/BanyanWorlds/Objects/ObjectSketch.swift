/// What a part of an object is made of; a scene's colours say how it looks.
enum Material: Int, CaseIterable {
  /// The object's own colour, and a darker and a lighter shade of it.
  case body, bodyDark, bodyLight
  /// A second colour that goes with the first.
  case accent
  case metal, wood, glass
  case dark, light
  case green
}

/// How a part bulges towards the viewer, which lighting and depth read.
enum Relief {
  /// A flat sheet.
  case flat
  /// A dome over the part's extent.
  case round
  /// An upright cylinder: bulges along x.
  case barrel
  /// A lying cylinder: bulges along y.
  case roll
}

/// One part of an object: a filled region or a ribbon of constant width.
struct ObjectPart {
  enum Form {
    /// Closed outlines; those of negative signed area are holes.
    case region([Outline])
    /// A line of the half width.
    case ribbon(Outline, Float)
  }

  var form: Form
  var material: Material
  var relief: Relief
  /// How far it stands out from the object's own plane, −1 … 1.
  var height: Float
  /// Whether line styles draw its edge.
  var isOutlined: Bool
}

/// The drawing of one object: parts from back to front in the square −1 … 1.
///
/// It holds no style: ``Scene`` places it, a style renders it.
struct ObjectSketch {
  private(set) var parts: [ObjectPart] = []

  /// Fills the inside of `outline`, without `holes`.
  mutating func fill(
    _ material: Material, _ outline: Outline, holes: [Outline] = [], relief: Relief = .flat, height: Float = 0,
    isOutlined: Bool = true
  ) {
    let outlines = [outline.directed(asHole: false)] + holes.map { $0.directed(asHole: true) }
    parts.append(
      ObjectPart(
        form: .region(outlines), material: material, relief: relief, height: height, isOutlined: isOutlined))
  }

  /// Draws a ribbon along `outline`: a handle, a rod, a wheel's rim.
  mutating func stroke(
    _ material: Material, _ outline: Outline, width: Float, relief: Relief = .flat, height: Float = 0,
    isOutlined: Bool = true
  ) {
    parts.append(
      ObjectPart(
        form: .ribbon(outline, width / 2), material: material, relief: relief, height: height, isOutlined: isOutlined))
  }
}
