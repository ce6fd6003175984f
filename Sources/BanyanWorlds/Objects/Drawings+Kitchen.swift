extension Drawings {
  /// A mug from the side: a cup with its opening, and a handle at one side.
  static func mug(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let half = choice.between(0.5, 0.64)
    let top = 0.9 - choice.between(1.15, 1.6)
    let foot = half * choice.between(0.74, 1)
    let belly = choice.between(-0.03, 0.08)
    let opening = choice.between(0.08, 0.15)
    let reach = choice.between(0.38, 0.48)
    let thickness = choice.between(0.12, 0.18)
    let handle = choice.one(of: 3)
    let pattern = choice.one(of: 4)
    let sag = opening * 0.7
    let shift = -reach / 2 * side
    func at(_ x: Float, _ y: Float) -> Point { Point(x * side + shift, y) }

    let (upper, lower) = (top + opening + 0.16, 0.9 - choice.between(0.22, 0.36))
    let (inside, outside) = (half - 0.05, half + reach - thickness / 2)
    let grip: Outline =
      switch handle {
      case 0:
        .smooth(
          [
            at(inside, upper), at(outside - reach * 0.25, upper - 0.02), at(outside, (upper + lower) / 2),
            at(outside - reach * 0.25, lower), at(foot - 0.05, lower),
          ], isClosed: false)
      case 1:
        .line([
          at(inside, upper), at(outside - 0.08, upper), at(outside, upper + 0.09), at(outside, lower - 0.09),
          at(outside - 0.08, lower), at(foot - 0.05, lower),
        ])
      default:
        .smooth(
          [
            at(inside, upper), at(outside - reach * 0.2, upper - 0.04), at(outside, upper + (lower - upper) * 0.3),
            at(half + reach * 0.35, lower - 0.1), at(foot - 0.05, lower),
          ], isClosed: false)
      }
    sketch.stroke(.body, grip, width: thickness, relief: .round, height: -0.1)

    let middle = (half + foot) / 2 + belly
    let wall = Outline.thrown(
      [Point(half, top + opening), Point(middle, top * 0.4 + 0.5), Point(foot, 0.9 - sag)], sag)
    sketch.fill(.body, wall.moved(shift, 0), relief: .barrel)
    let (bandTop, bandBottom) = (top * 0.5 + 0.36, top * 0.3 + 0.6)
    if pattern == 1 {
      let band = Outline.thrown([Point(middle, bandTop), Point(middle, bandBottom)], sag, curvedTop: true)
      sketch.fill(.accent, band.scaled(0.97, 1).moved(shift, 0), relief: .barrel)
    } else if pattern == 2 {
      for x: Float in [-0.55, 0, 0.55] {
        let spot = Outline.circle(Point(x * middle + shift, bandTop + 0.1 - abs(x) * sag), 0.1)
        sketch.fill(.accent, spot, relief: .barrel)
      }
    }
    sketch.fill(.bodyLight, .ellipse(Point(shift, top + opening), half, opening), height: 0.05)
    sketch.fill(
      .dark, .ellipse(Point(shift, top + opening * 1.1), half * 0.84, opening * 0.68), height: -0.1, isOutlined: false)
  }

  /// A teapot from the side: a round pot with foot, lid and knob, a spout, and a handle behind or above it.
  static func teapot(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let half = choice.between(0.48, 0.58)
    let tall = choice.between(0.42, 0.54)
    let thickness = choice.between(0.09, 0.14)
    let tip = choice.between(-0.34, -0.08)
    let base = choice.between(0.34, 0.46)
    let lid = choice.between(0.1, 0.24)
    let mouth = half * choice.between(0.48, 0.66)
    let knob = choice.between(0.07, 0.11)
    let isAbove = choice.chance(0.2)
    let handleLow = choice.between(0.45, 0.62)
    let lidMaterial: Material = choice.chance(0.4) ? .accent : .bodyDark
    let isBanded = choice.chance(0.35)
    let y = 0.86 - tall
    func at(_ x: Float, _ y: Float) -> Point { Point(x * side, y) }

    let rim = y - tall * 0.86
    if isAbove {
      sketch.stroke(
        .wood, .arc(Point(0, y - tall * 0.35), half * 0.86, 0.95, from: 0.5, to: 1), width: thickness * 0.8,
        relief: .round, height: -0.1)
    } else {
      let grip = Outline.smooth(
        [
          at(-half * 0.75, y - tall * 0.55), at(-half - 0.22, y - tall * 0.75), at(-0.88, y - tall * 0.2),
          at(-half - 0.2, handleLow), at(-half * 0.8, handleLow + 0.03),
        ], isClosed: false)
      sketch.stroke(.body, grip, width: thickness, relief: .round, height: -0.1)
    }
    let spout = Outline.smooth(
      [
        at(half * 0.75, y - tall * 0.3 + 0.06), at(half + 0.12, y - tall * 0.2), at(0.76, tip + 0.04),
        at(0.93, tip), at(0.84, tip + 0.24), at(half + 0.16, base + 0.16), at(half * 0.7, base + 0.3),
      ], isClosed: true)
    sketch.fill(.body, spout, relief: .round, height: -0.05)
    sketch.fill(.bodyDark, .rectangle(-half * 0.55, 0.78, half * 0.55, 0.9, corner: 0.04), relief: .barrel)
    sketch.fill(.body, .ellipse(Point(0, y), half, tall), relief: .round, height: 0.1)
    if isBanded {
      sketch.fill(
        .accent, Outline.thrown([Point(half * 0.97, y), Point(half * 0.93, y + tall * 0.3)], 0.08, curvedTop: true),
        relief: .barrel, height: 0.1)
    }
    sketch.fill(lidMaterial, .circle(Point(0, rim - lid - knob * 0.6), knob), relief: .round, height: 0.1)
    sketch.fill(
      lidMaterial, .arc(Point(0, rim + 0.06), mouth, lid + 0.06, from: 0.5, to: 1, isClosed: true), relief: .round,
      height: 0.1)
  }

  /// A bottle: a long neck, shoulders, a stopper, and often a label.
  static func bottle(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let half = choice.between(0.27, 0.4)
    let neck = choice.between(0.1, 0.14)
    let shoulder = choice.between(-0.3, 0)
    let slope = choice.between(0.16, 0.42)
    let belly = choice.between(-0.02, 0.05)
    let label = choice.one(of: 4)
    let stopper = choice.one(of: 3)
    let (labelTop, labelTall) = (choice.between(0.12, 0.24), choice.between(0.24, 0.4))
    let isPunted = choice.chance(0.5)

    let corkTop: Float = -0.9
    let mouth: Float = -0.74
    let profile = [
      Point(neck, mouth), Point(neck, shoulder - slope), Point(neck + (half - neck) * 0.55, shoulder - slope * 0.35),
      Point(half, shoulder + 0.06), Point(half + belly, 0.45), Point(half, 0.9 - 0.05),
    ]
    if stopper == 0 {
      sketch.fill(.wood, .rectangle(-neck * 0.75, corkTop, neck * 0.75, mouth + 0.05, corner: 0.03), relief: .barrel)
    }
    sketch.fill(.body, .thrown(profile, 0.05), relief: .barrel)
    if stopper > 0 {
      let capBottom = mouth + (stopper == 1 ? 0.04 : 0.2)
      let lip = neck * 1.2
      sketch.fill(.accent, .rectangle(-lip, corkTop, lip, capBottom, corner: 0.04), relief: .barrel, height: 0.05)
    } else {
      sketch.fill(
        .bodyDark, .rectangle(-neck * 1.3, mouth, neck * 1.3, mouth + 0.1, corner: 0.03), relief: .barrel, height: 0.05)
    }
    let (top, bottom) = (labelTop, labelTop + labelTall)
    switch label {
    case 1:
      sketch.fill(
        .light, .rectangle(-half * 0.96, top, half * 0.96, bottom), relief: .barrel, height: 0.02)
      sketch.fill(.accent, .circle(Point(0, (top + bottom) / 2), labelTall * 0.28), relief: .flat, height: 0.05)
    case 2:
      sketch.fill(
        .light, .ellipse(Point(0, (top + bottom) / 2), half * 0.62, labelTall * 0.55), relief: .barrel, height: 0.02)
    case 3:
      sketch.fill(
        .accent, .rectangle(-half * 0.97, top, half * 0.97, top + labelTall * 0.5), relief: .barrel, height: 0.02)
    default: break
    }
    if isPunted {
      let gleam = Outline.line([Point(-half * 0.62, shoulder + 0.1), Point(-half * 0.62, labelTop - 0.04)])
      sketch.stroke(.bodyLight, gleam, width: 0.07, height: 0.05, isOutlined: false)
    }
  }

  /// An apple: a round fruit with dents above and below, a stalk, and mostly a leaf.
  static func apple(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let wide = choice.between(0.74, 0.88)
    let waist = choice.between(0.5, 0.62)
    let shoulder = choice.between(-0.5, -0.36)
    let dent = choice.between(0.12, 0.2)
    let bottomDent = choice.between(0.05, 0.12)
    let stalk = choice.between(0.24, 0.34)
    let lean = choice.between(-0.12, 0.16) * side
    let leaf = choice.between(0.36, 0.52)
    let rise = choice.between(0.08, 0.24)
    let hasLeaf = choice.chance(0.8)

    let top = shoulder + dent
    sketch.fill(
      .body,
      .symmetricCurve([
        Point(0, top), Point(wide * 0.26, shoulder - 0.02), Point(wide * 0.7, shoulder + 0.02),
        Point(wide, shoulder + 0.42), Point(wide * 0.92, 0.34), Point(waist, 0.74), Point(0.2, 0.9),
        Point(0, 0.9 - bottomDent),
      ]), relief: .round)
    sketch.fill(
      .bodyLight, .ellipse(Point(-wide * 0.5 * side, shoulder + 0.36), 0.12, 0.19).turned(0.06 * side, about: .zero),
      relief: .flat, height: 0.3, isOutlined: false)
    sketch.fill(
      .bodyDark, .ellipse(Point(0, top - 0.015), wide * 0.2, 0.055), height: 0.1, isOutlined: false)
    let end = Point(lean, top - stalk - 0.1)
    sketch.stroke(
      .wood, .smooth([Point(0, top), Point(lean * 0.3, top - stalk * 0.5), end], isClosed: false), width: 0.1,
      relief: .round, height: 0.2)
    if hasLeaf {
      let root = Point(lean * 0.3, top - stalk * 0.45)
      func at(_ along: Float, _ up: Float) -> Point {
        root + Point(along * side * leaf, -along * rise - up * leaf)
      }
      sketch.fill(
        .green,
        .smooth(
          [at(0, 0), at(0.3, 0.26), at(0.75, 0.22), at(1.05, 0), at(0.75, -0.14), at(0.3, -0.16)], isClosed: true),
        height: 0.3)
    }
  }

  /// A mushroom: a dotted cap on a stout pale stem.
  static func mushroom(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let half = choice.between(0.68, 0.9)
    let brim = choice.between(0, 0.18)
    let top = choice.between(-0.9, -0.66)
    let point = choice.between(0, 0.22)
    let stem = choice.between(0.17, 0.26)
    let bulb = stem * choice.between(1, 1.6)
    let sag = choice.between(0.05, 0.13)
    let spots = 3 + choice.one(of: 3)
    let spotRadius = choice.between(0.08, 0.125)
    let hasRing = choice.chance(0.4)
    let sway = choice.between(-0.08, 0.08)
    let side: Float = choice.chance(0.5) ? 1 : -1

    sketch.fill(
      .light,
      .thrown(
        [Point(stem, brim - 0.1), Point(stem * 0.92, brim + 0.3), Point(bulb, 0.72), Point(bulb * 0.8, 0.86)], 0.04),
      relief: .barrel)
    if hasRing {
      sketch.fill(
        .light, .thrown([Point(stem * 1.1, brim + 0.16), Point(stem * 1.7, brim + 0.3)], 0.05), relief: .barrel,
        height: 0.1)
    }
    sketch.fill(.bodyDark, .ellipse(Point(0, brim), half * 0.86, sag * 1.2), height: -0.05)
    let tall = brim - top
    sketch.fill(
      .body,
      .symmetricCurve([
        Point(0, top), Point(half * (0.5 - point * 0.4), top + tall * (0.12 + point * 0.3)),
        Point(half * 0.88, brim - tall * 0.42), Point(half, brim - 0.04), Point(half * 0.9, brim + sag * 0.7),
        Point(half * 0.45, brim + sag * 0.2), Point(0, brim),
      ]), relief: .round, height: 0.1)
    // Three spots in a lower row, up to two in an upper one; all sway together.
    let places: [(Float, Float)] = [(-0.6, 0.26), (0.04, 0.3), (0.62, 0.24), (0.3, 0.64), (-0.26, 0.62)]
    for (x, y) in places.prefix(spots) {
      let centre = Point((x + sway) * half * side, brim - y * tall)
      sketch.fill(.light, .ellipse(centre, spotRadius, spotRadius * 0.85), relief: .round, height: 0.15)
    }
  }
}

extension Outline {
  /// A smooth closed shape that is symmetric about x = 0, from its right half: first and last point on the axis.
  static func symmetricCurve(_ half: [Point]) -> Outline {
    smooth(half + half.dropFirst().dropLast().reversed().map { Point(-$0.x, $0.y) }, isClosed: true)
  }

  /// The side view of something turned on a wheel: (half width, y) from top to bottom, and how far its ends sag.
  static func thrown(_ profile: [Point], _ sag: Float, curvedTop: Bool = false) -> Outline {
    let right = smooth(profile, isClosed: false).points
    guard let top = profile.first, let foot = profile.last else { return polygon([]) }
    let base = arc(Point(0, foot.y), foot.x, sag, from: 0, to: 0.5).points
    let left = right.reversed().map { Point(-$0.x, $0.y) }
    let lid = curvedTop ? arc(Point(0, top.y), top.x, sag, from: 0.5, to: 0).points : []
    return polygon(right.dropLast() + base + left.dropFirst() + lid)
  }
}
