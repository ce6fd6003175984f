import BanyanFoundation

/// A world of related tasks whose relatedness is known, since it was planted.
///
/// A picture is a function of seed, task, class and number: two worlds of one seed hold the same bytes, and a longer one
/// begins with the pictures of a shorter one.
public struct World: Sendable {
  /// Which tasks.
  public let preset: WorldPreset
  /// What all pictures are drawn from.
  public let seed: UInt64
  /// The tasks in order.
  public let tasks: [WorldTask]

  /// The world of a preset.
  public init(_ preset: WorldPreset, seed: UInt64) {
    self.preset = preset
    self.seed = seed
    tasks = preset.tasks
  }

  /// The picture of a task with the given label and number.
  public func picture(task: WorldTask, label: Int, number: Int, painter: WorldPainter) -> WorldPicture {
    let object = task.classes[label]
    let name = "\(preset.rawValue) \(task.name) \(object.rawValue) \(number)"
    var variant = task.variant
    if preset.variesWithinTasks {
      var choice = ShapeChoice(SeededGenerator(seed: seed, label: "\(name) variant"))
      variant = .drawn(&choice)
    }
    return painter.picture(of: object, style: task.style, variant: variant, seed: seed, label: name)
  }

  /// The planted tree in Newick form: a node for every family of two or more, all under the root.
  public var plantedTree: String {
    var families: [String] = []
    for task in tasks where !families.contains(task.family) { families.append(task.family) }
    let groups = families.map { family in
      let members = tasks.filter { $0.family == family }.map(\.name)
      return members.count == 1 ? members[0] : "(\(members.joined(separator: ",")))"
    }
    return groups.count == 1 ? "\(groups[0]);" : "(\(groups.joined(separator: ",")));"
  }
}

extension StyleVariant {
  /// A variant as wide as pictures from many sources differ; colours keep their names.
  static func drawn(_ choice: inout ShapeChoice) -> StyleVariant {
    let tint = choice.between(0.7, 1.1)
    return StyleVariant(
      paper: [tint * choice.between(0.85, 1.1), tint * choice.between(0.85, 1.1), tint * choice.between(0.85, 1.1)],
      lineWeight: choice.between(0.6, 1.7), noise: choice.chance(0.5) ? choice.between(0, 0.09) : 0,
      hue: choice.between(-0.015, 0.015), saturation: choice.between(0.5, 1.2),
      blur: choice.chance(0.5) ? choice.between(0, 0.9) : 0, contrast: choice.between(0.6, 1.15),
      brightness: choice.chance(0.5) ? choice.between(0.4, 1.1) : 1)
  }
}
