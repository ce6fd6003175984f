public import BanyanFoundation

/// The colour that a caption names.
public enum ColourName: String, NamedChoice, CaseIterable {
  case red, orange, yellow, green, blue, purple, pink, brown, white, grey

  /// The middle of the colours of this name.
  var middle: Colour {
    switch self {
    case .red: Colour(0.82, 0.16, 0.15)
    case .orange: Colour(0.95, 0.52, 0.12)
    case .yellow: Colour(0.95, 0.82, 0.20)
    case .green: Colour(0.20, 0.60, 0.28)
    case .blue: Colour(0.18, 0.38, 0.80)
    case .purple: Colour(0.52, 0.26, 0.68)
    case .pink: Colour(0.95, 0.55, 0.68)
    case .brown: Colour(0.48, 0.30, 0.17)
    case .white: Colour(0.94, 0.94, 0.92)
    case .grey: Colour(0.45, 0.47, 0.50)
    }
  }

  /// A colour that a person would call by this name.
  func drawn(_ choice: inout ShapeChoice) -> Colour {
    let light = choice.between(-0.06, 0.06)
    let shift = Colour(choice.between(-0.04, 0.04), choice.between(-0.04, 0.04), choice.between(-0.04, 0.04))
    return (middle + shift + light).clamped(lowerBound: .zero, upperBound: .one)
  }
}

/// What each material of one object looks like.
struct ObjectColours {
  private var colours: [Colour]

  /// The colours of an object of the given name, with an accent that differs from it.
  init(_ name: ColourName, _ choice: inout ShapeChoice) {
    let body = name.drawn(&choice)
    var others = ColourName.allCases
    others.removeAll { $0 == name }
    let accent = others[choice.one(of: others.count)].drawn(&choice)
    colours = Material.allCases.map { material in
      switch material {
      case .body: body
      case .bodyDark: body * 0.68
      case .bodyLight: body + (Colour.one - body) * 0.4
      case .accent: accent
      case .metal: Colour(0.68, 0.70, 0.74)
      case .wood: Colour(0.60, 0.42, 0.24)
      case .glass: Colour(0.70, 0.84, 0.92)
      case .dark: Colour(0.16, 0.15, 0.17)
      case .light: Colour(0.96, 0.95, 0.91)
      case .green: Colour(0.28, 0.58, 0.25)
      }
    }
  }

  /// Muted colours for things in the background.
  init(muted tone: Colour, _ choice: inout ShapeChoice) {
    let name = ColourName.allCases[choice.one(of: ColourName.allCases.count)]
    self.init(name, &choice)
    colours = colours.map { tone + ($0 - tone) * 0.35 }
  }

  subscript(material: Material) -> Colour { colours[material.rawValue] }
}
