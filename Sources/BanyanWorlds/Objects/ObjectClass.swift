public import BanyanFoundation

/// What a picture of the world shows: 28 objects that people know at a glance.
///
/// Each is drawn with its own varying proportions; see the extensions that hold the drawings.
public enum ObjectClass: String, NamedChoice, CaseIterable {
  case mug, teapot, bottle, apple, mushroom, flower, leaf
  case tree, fish, bird, butterfly, house, car, boat
  case bicycle, aeroplane, chair, lamp, clock, umbrella, guitar
  case key, hammer, scissors, ladder, hat, shoe, glasses

  /// Whether one speaks of a pair of it.
  var isPair: Bool { self == .scissors || self == .glasses }

  /// Draws the object with proportions from `choice`.
  func draw(_ choice: inout ShapeChoice) -> ObjectSketch {
    var sketch = ObjectSketch()
    drawing(&sketch, &choice)
    return sketch
  }

  private var drawing: (inout ObjectSketch, inout ShapeChoice) -> Void {
    switch self {
    case .mug: Drawings.mug
    case .teapot: Drawings.teapot
    case .bottle: Drawings.bottle
    case .apple: Drawings.apple
    case .mushroom: Drawings.mushroom
    case .flower: Drawings.flower
    case .leaf: Drawings.leaf
    case .tree: Drawings.tree
    case .fish: Drawings.fish
    case .bird: Drawings.bird
    case .butterfly: Drawings.butterfly
    case .house: Drawings.house
    case .car: Drawings.car
    case .boat: Drawings.boat
    case .bicycle: Drawings.bicycle
    case .aeroplane: Drawings.aeroplane
    case .chair: Drawings.chair
    case .lamp: Drawings.lamp
    case .clock: Drawings.clock
    case .umbrella: Drawings.umbrella
    case .guitar: Drawings.guitar
    case .key: Drawings.key
    case .hammer: Drawings.hammer
    case .scissors: Drawings.scissors
    case .ladder: Drawings.ladder
    case .hat: Drawings.hat
    case .shoe: Drawings.shoe
    case .glasses: Drawings.glasses
    }
  }
}

/// The drawings of all objects, one function each; grouped in files by kind.
enum Drawings {}

/// Where a drawing's varying proportions come from.
struct ShapeChoice {
  private var generator: SeededGenerator

  init(_ generator: SeededGenerator) { self.generator = generator }

  /// A number between `low` and `high`.
  mutating func between(_ low: Float, _ high: Float) -> Float {
    low + (high - low) * Float(generator.uniform())
  }

  /// Whether something of the given chance happens.
  mutating func chance(_ share: Float) -> Bool { Float(generator.uniform()) < share }

  /// One of 0 ..< `count`.
  mutating func one(of count: Int) -> Int { generator.integer(below: count) }
}
