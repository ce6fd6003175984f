import Foundation

extension Drawings {
  /// A flower: petals about a round heart, on a stem with one or two leaves.
  static func flower(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let petals = 5 + choice.one(of: 4)
    let radius = choice.between(0.54, 0.64)
    let heart = choice.between(0.15, 0.22)
    let plump = choice.between(0.72, 0.92)
    let tip = choice.one(of: 3)
    let bend = choice.between(0, 0.16) * side
    let turn = choice.between(0, 1)
    let leaf = choice.between(0.36, 0.5)
    let leafY = choice.between(0.6, 0.75)
    let hasTwo = choice.chance(0.5)

    let centre = Point(bend, radius - 0.88)
    let stem = Outline.smooth([centre, Point(bend * 0.7, 0.35), Point(0, 0.86)], isClosed: false)
    sketch.stroke(.green, stem, width: 0.11, relief: .round, height: -0.1)
    for hand in hasTwo ? [side, -side] : [side] {
      let root = Point(bend * 0.2, hand == side ? leafY : leafY + 0.08)
      func at(_ along: Float, _ up: Float) -> Point { root + Point(along * hand * leaf, -up * leaf) }
      sketch.fill(
        .green, .smooth([at(0, -0.05), at(0.35, 0.4), at(1.05, 0.6), at(0.85, 0.1), at(0.4, -0.12)], isClosed: true),
        height: -0.05)
    }

    // Petals as wide as the ring has room for.
    let width = radius * sin(.pi / Float(petals)) * plump
    let outer = radius * 0.72
    let petal =
      switch tip {
      case 0:
        [Point(0, 0), Point(width * 0.7, outer * 0.55), Point(width, outer), Point(0, radius)]
      case 1:
        [Point(0, 0), Point(width * 0.7, outer * 0.58), Point(width * 0.68, outer * 1.05), Point(0, radius * 1.06)]
      default:
        [
          Point(0, 0), Point(width * 0.6, outer * 0.5), Point(width * 0.95, outer), Point(width * 0.45, radius * 1.02),
          Point(0, radius * 0.93),
        ]
      }
    let shape = Outline.symmetricCurve(petal).moved(centre.x, centre.y)
    for index in 0..<petals {
      let share = (Float(index) + turn) / Float(petals)
      sketch.fill(.body, shape.turned(share, about: centre), relief: .round, height: 0)
    }
    sketch.fill(.accent, .circle(centre, heart), relief: .round, height: 0.2)
  }

  /// A single leaf with its midrib, veins and stalk: plain, toothed or lobed like a maple's.
  static func leaf(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let tilt = choice.between(-0.12, 0.12)
    let half = choice.between(0.4, 0.6)
    let widest = choice.between(-0.05, 0.3)
    let stalk = choice.between(0.28, 0.4)
    let curl = choice.between(-0.14, 0.14)
    let veins = 3 + choice.one(of: 2)
    let kind = choice.one(of: 3)
    let depth = choice.between(0.8, 1)

    let base = 0.92 - stalk
    func placed(_ outline: Outline) -> Outline { outline.turned(tilt) }
    sketch.stroke(
      .wood, placed(.smooth([Point(0, base - 0.1), Point(curl * 0.3, 0.7), Point(curl, 0.88)], isClosed: false)),
      width: 0.085, relief: .round)
    if kind == 2 {
      // Five lobes, each with teeth at its sides.
      let w = half + 0.28
      let half = [
        Point(0, -0.92), Point(0.13, -0.62), Point(0.27, -0.66), Point(0.24, -0.3 * depth), Point(w * 0.72, -0.56),
        Point(w * 0.74, -0.36), Point(w, -0.26), Point(w * 0.78, -0.06), Point(w * 0.84, 0.06),
        Point(0.3 * depth, 0.2), Point(w * 0.66, 0.42), Point(0.2, base - 0.06), Point(0, base),
      ]
      sketch.fill(.body, placed(Outline.polygon(half).withMirror()), relief: .flat)
      for end in [Point(w * 0.6, -0.28), Point(-w * 0.6, -0.28), Point(0, -0.52)] {
        let rib = Outline.line([Point(0, base - 0.04), end])
        // Only the midrib parts the blade where styles cut along edges.
        sketch.stroke(.bodyDark, placed(rib), width: 0.05, height: 0.1, isOutlined: end.x == 0)
      }
      return
    }
    let top: Float = -0.92
    let long = base - top
    func width(_ share: Float) -> Float {
      // Share 0 at the tip, 1 at the stalk; the widest place moves between leaves.
      let bent = pow(share, 1 + widest)
      return half * pow(sin(bent * .pi), 0.85)
    }
    var edge = [Point(0, top)]
    let steps = kind == 0 ? 5 : 8
    for step in 1..<steps {
      let share = Float(step) / Float(steps)
      let (x, y) = (width(share), top + share * long)
      edge.append(Point(x, y))
      if kind == 1 { edge.append(Point(x * 0.84, y + 0.02)) }
    }
    edge.append(Point(0, base))
    let blade = kind == 0 ? Outline.smooth(edge, isClosed: false) : Outline.polygon(edge)
    sketch.fill(.body, placed(blade.withMirror()), relief: .round)
    sketch.stroke(.bodyDark, placed(.line([Point(0, base), Point(0, top + long * 0.1)])), width: 0.055, height: 0.1)
    for vein in 0..<veins {
      let share = 0.84 - Float(vein) * 0.46 / Float(veins - 1)
      let rise = share - 0.16
      for hand: Float in [-1, 1] {
        let end = Point(hand * width(rise) * 0.72, top + rise * long)
        sketch.stroke(.bodyDark, placed(.line([Point(0, top + share * long), end])), width: 0.04, height: 0.1)
      }
    }
  }

  /// A tree: a broad crown of leaves or the tiers of a fir on a trunk.
  static func tree(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let isFir = choice.chance(0.38)
    let half = choice.between(0.6, 0.8)
    let trunk = choice.between(0.1, 0.16)
    let crownBottom = choice.between(0.28, 0.48)
    let flare = choice.between(1.2, 1.9)
    let lobes = 8 + choice.one(of: 4)
    let turn = choice.between(0, 1)
    let lumpiness = choice.between(0.045, 0.085)
    let tiers = 2 + choice.one(of: 3)
    let slim = choice.between(0.3, 0.55)
    let isForked = choice.chance(0.45)
    let fruits = choice.chance(0.25) ? 3 + choice.one(of: 3) : 0

    sketch.fill(
      .wood,
      .thrown([Point(trunk, crownBottom - 0.3), Point(trunk, 0.6), Point(trunk * flare, 0.88)], 0.02), relief: .barrel)
    if isFir {
      let bottom = crownBottom + 0.12
      let tall = (bottom + 0.92) / Float(tiers)
      for tier in (0..<tiers).reversed() {
        let reach = half * (slim + (1 - slim) * Float(tier + 1) / Float(tiers))
        let (y, top) = (-0.92 + Float(tier + 1) * tall, max(-0.92, -0.92 + (Float(tier) - 0.5) * tall))
        let half = [Point(0, top), Point(reach * 0.42, y - tall * 0.5), Point(reach, y), Point(0, y + 0.05)]
        sketch.fill(.body, Outline.polygon(half).withMirror(), relief: .barrel, height: 0.1 - Float(tier) * 0.02)
      }
      return
    }
    let (top, tall) = (Float(-0.92), crownBottom + 0.92)
    let centre = Point(0, top + tall / 2)
    // Two points a lobe and one in each cleft give round lumps and sharp valleys.
    var edge: [Point] = []
    var swell: Float = 1
    for index in 0..<(lobes * 3) {
      if index % 3 == 0 { swell = choice.between(0.9, 1) }
      let share = (Float(index) / 3 + turn) / Float(lobes) * 2 * Float.pi
      let reach = index % 3 == 0 ? 0.95 - 2 * lumpiness : swell
      edge.append(centre + Point(cos(share) * half, sin(share) * tall / 2) * reach)
    }
    sketch.fill(.body, .smooth(edge, isClosed: true), relief: .round, height: 0.1)
    if isForked {
      let fork = Point(0, crownBottom + 0.04)
      for end in [Point(-0.24, crownBottom - 0.32), Point(0.2, crownBottom - 0.42)] {
        sketch.stroke(.wood, .line([fork, end]), width: 0.1, relief: .round, height: 0.15)
      }
    }
    let shade = Outline.ellipse(centre + Point(-half * 0.3, -tall * 0.18), half * 0.32, tall * 0.14)
    sketch.fill(.bodyLight, shade, height: 0.2, isOutlined: false)
    for fruit in 0..<fruits {
      let angle = (Float(fruit) / Float(fruits) + turn * 0.3) * 2 * Float.pi
      let place = centre + Point(cos(angle) * half * 0.55, sin(angle) * tall * 0.27)
      sketch.fill(.accent, .circle(place, 0.08), relief: .round, height: 0.2)
    }
  }
}
