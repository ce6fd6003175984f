/// A figure as a list of marks in the order in which they are painted.
///
/// Marks name what they mean (``Ink``), not a colour: the page and the file decide, for light and for dark.
package struct Drawing: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    package var x: Double
    package var y: Double

    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  package enum Ink: Sendable, Equatable {
    case text, muted, grid
    /// One of several things told apart, such as methods.
    case series(Int)
    /// A quantity from 0 (least) to 1 (most).
    case heat(Double)
    /// What is read on top of ``heat(_:)``.
    case onHeat(Double)
  }

  package enum Anchor: String, Sendable { case start, middle, end }

  package enum Shape: Sendable, Equatable {
    case line([Point])
    /// What a closed line surrounds.
    case area([Point])
    case box(Point, width: Double, height: Double)
    case disc(Point, radius: Double)
    /// `turned` reads upwards.
    case text(String, Point, size: Double, Anchor, turned: Bool)
  }

  package struct Mark: Sendable, Equatable {
    package var shape: Shape
    package var ink: Ink
    /// The stroke of a line.
    package var width = 1.0
    package var opacity = 1.0
    /// What a pointer that rests here is told.
    var tip: String?
  }

  /// A stem for file names and anchors.
  package let name: String
  let title: String
  /// What a reader who cannot see the figure is told.
  let summary: String
  package let width: Double
  package let height: Double
  package private(set) var marks: [Mark] = []

  init(name: String, title: String, summary: String, width: Double, height: Double) {
    (self.name, self.title, self.summary) = (name, title, summary)
    (self.width, self.height) = (width, height)
  }

  mutating func add(_ shape: Shape, _ ink: Ink, width: Double = 1, opacity: Double = 1, tip: String? = nil) {
    marks.append(Mark(shape: shape, ink: ink, width: width, opacity: opacity, tip: tip))
  }

  mutating func text(
    _ text: String, at place: Point, _ ink: Ink = .text, size: Double = 12, _ anchor: Anchor = .start,
    turned: Bool = false
  ) {
    add(.text(TextWidth.printable(text), place, size: size, anchor, turned: turned), ink)
  }

  /// What stands for the `number`th of several things: a disc; a square, a diamond and a triangle where the colours have begun anew.
  static func mark(of number: Int, at centre: Point, radius: Double) -> Shape {
    func corners(_ places: [(Double, Double)]) -> Shape {
      .area(places.map { Point(centre.x + radius * $0.0, centre.y + radius * $0.1) })
    }
    return switch number / Palette.series.count % 4 {
    case 0: .disc(centre, radius: radius)
    case 1: .box(Point(centre.x - radius, centre.y - radius), width: 2 * radius, height: 2 * radius)
    case 2: corners([(0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)])
    default: corners([(0, -1.3), (1.2, 0.9), (-1.2, 0.9)])
    }
  }

  /// About how wide a text will be.
  static func width(of text: String, size: Double = 12) -> Double { Double(TextWidth.columns(text)) * size * 0.56 }
}
