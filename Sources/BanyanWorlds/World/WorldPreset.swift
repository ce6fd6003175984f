public import BanyanFoundation

/// The sets of tasks that a world can be made of.
///
/// Tasks of a family share their style's rendering operations and differ mildly in paper, line weight, grain, palette
/// and blur; tasks of different families share none of these. That is the relatedness that trees are compared with.
public enum WorldPreset: String, NamedChoice, CaseIterable {
  /// Three families of three near relatives, all classes: sharing should pay.
  case families
  /// Eight unlike styles, all classes: sharing should not pay.
  case strangers
  /// Families of different sizes and lone tasks, different class sets, some small.
  case mixed
  /// The six styles that the shipped CLIP is trained on, many variants of each.
  case pretraining

  /// What is meant, in a line.
  public var summary: String {
    switch self {
    case .families: "three families of three near relatives, 28 classes each"
    case .strangers: "eight unlike styles, 28 classes each"
    case .mixed: "three families and two lone tasks, different class sets"
    case .pretraining: "the six styles that the shipped CLIP is trained on, with their captions"
    }
  }

  /// The tasks.
  public var tasks: [WorldTask] {
    switch self {
    case .families: blueprints(.all, .all, .all) + prints(.all, .all, .all) + nights(.all, .all, .all)
    case .strangers:
      [Style.studio, .pencil, .night, .blueprint, .icon, .halftone, .pixel, .neon].map {
        WorldTask($0.rawValue, family: $0.rawValue, $0)
      }
    case .mixed:
      blueprints(.indoors, .everyday, .all) + prints(.outdoors, .everyday, .few)
        + nights(.outdoors, .all, .few).prefix(2)
        + [
          WorldTask("pixel", family: "pixel", .pixel, classes: ClassSet.everyday.classes),
          WorldTask("clip-art", family: "clip-art", .clipArt, classes: ClassSet.indoors.classes),
        ]
    case .pretraining: Self.seen.map { WorldTask($0.rawValue, family: $0.rawValue, $0) }
    }
  }

  /// Whether every picture has its own draw of the variant's operations.
  public var variesWithinTasks: Bool { self == .pretraining }

  /// The styles of the pretraining world.
  public static let seen: [Style] = [.studio, .street, .clipArt, .pencil, .watercolour, .chalk]

  private func blueprints(_ first: ClassSet, _ second: ClassSet, _ third: ClassSet) -> [WorldTask] {
    [
      WorldTask("blueprint", family: "blueprints", .blueprint, classes: first.classes),
      WorldTask(
        "blueprint-faded", family: "blueprints", .blueprint,
        StyleVariant(paper: [1.25, 1.15, 1.0], noise: 0.03, contrast: 0.9), classes: second.classes),
      WorldTask(
        "blueprint-bold", family: "blueprints", .blueprint,
        StyleVariant(paper: [0.8, 0.9, 0.95], lineWeight: 1.3, blur: 0.3), classes: third.classes),
    ]
  }

  private func prints(_ first: ClassSet, _ second: ClassSet, _ third: ClassSet) -> [WorldTask] {
    [
      WorldTask("newsprint", family: "prints", .halftone, classes: first.classes),
      WorldTask(
        "newsprint-yellowed", family: "prints", .halftone,
        StyleVariant(paper: [1.0, 0.94, 0.8], noise: 0.03), classes: second.classes),
      WorldTask(
        "newsprint-heavy", family: "prints", .halftone,
        StyleVariant(paper: [1.03, 1.05, 1.1], lineWeight: 1.3, blur: 0.3), classes: third.classes),
    ]
  }

  private func nights(_ first: ClassSet, _ second: ClassSet, _ third: ClassSet) -> [WorldTask] {
    [
      WorldTask("night", family: "nights", .night, StyleVariant(noise: 0.03), classes: first.classes),
      WorldTask(
        "night-grainy", family: "nights", .night, StyleVariant(paper: [0.95, 0.95, 1.0], noise: 0.07),
        classes: second.classes),
      WorldTask(
        "night-warm", family: "nights", .night,
        StyleVariant(paper: [1.1, 1.0, 0.9], noise: 0.03, hue: 0.02, blur: 0.35), classes: third.classes),
    ]
  }
}

/// The class sets of tasks; they overlap.
enum ClassSet {
  case all, indoors, outdoors, everyday, few

  var classes: [ObjectClass] {
    switch self {
    case .all: ObjectClass.allCases
    case .indoors:
      [
        .mug, .teapot, .bottle, .apple, .flower, .chair, .lamp, .clock, .guitar, .key, .hammer, .scissors, .ladder,
        .hat, .shoe, .glasses,
      ]
    case .outdoors:
      [
        .mushroom, .flower, .leaf, .tree, .fish, .bird, .butterfly, .house, .car, .boat, .bicycle, .aeroplane,
        .umbrella, .ladder, .hat, .shoe,
      ]
    case .everyday:
      [.mug, .bottle, .apple, .leaf, .house, .car, .bicycle, .chair, .clock, .umbrella, .key, .shoe]
    case .few: [.mug, .teapot, .bottle, .lamp, .clock, .hat]
    }
  }
}
