import Foundation

extension Drawings {
  /// A key lying aslant: a ring, a shaft and a bit of two or three teeth.
  static func key(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let tilt = choice.between(-0.16, -0.02)
    let bow = choice.between(0.34, 0.42)
    let hole = choice.between(0.4, 0.55)
    let shaft = choice.between(0.13, 0.18)
    let teeth = 2 + choice.one(of: 2)
    let kind = choice.one(of: 3)
    let long = choice.between(0.24, 0.32)
    let short = choice.between(0.14, 0.24)
    func lay(_ outline: Outline) -> Outline { outline.turned(tilt) }

    let centre = Point(-0.94 + bow, 0)
    let outer: Outline
    let inner: Outline
    switch kind {
    case 0: (outer, inner) = (.circle(centre, bow), .circle(centre, bow * hole))
    case 1:
      (outer, inner) = (.ellipse(centre, bow * 0.8, bow * 1.15), .ellipse(centre, bow * hole * 0.7, bow * hole * 1.2))
    default:
      outer = .rectangle(centre.x - bow * 0.9, -bow, centre.x + bow * 0.9, bow, corner: 0.16)
      inner = .circle(centre - Point(bow * 0.2, 0), bow * hole * 0.9)
    }
    for tooth in 0..<teeth {
      let x = 0.86 - Float(tooth) * 0.2
      let length = shaft / 2 + (tooth % 2 == 0 ? long : short)
      sketch.fill(.body, lay(.rectangle(x - 0.13, 0, x, length)))
    }
    sketch.fill(
      .body, lay(.rectangle(centre.x + bow * 0.6, -shaft / 2, 0.95, shaft / 2, corner: 0.06)), relief: .roll,
      height: 0.1)
    sketch.fill(.body, lay(outer), holes: [lay(inner)], height: 0.1)
    sketch.fill(
      .bodyDark,
      lay(.rectangle(centre.x + bow * 0.95, -shaft / 2 - 0.05, centre.x + bow * 0.95 + 0.09, shaft / 2 + 0.05)),
      relief: .roll, height: 0.2)
  }

  /// A claw hammer, its head at the top.
  static func hammer(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let tilt = choice.between(-0.08, 0.1)
    let grip = choice.between(0.25, 0.31)
    let head = choice.between(0.24, 0.3)
    let face = choice.between(0.44, 0.54)
    let claw = choice.between(0.5, 0.64)
    let droop = choice.between(0.12, 0.26)
    let hasGrip = choice.chance(0.5)
    func lay(_ outline: Outline) -> Outline { outline.turned(tilt) }

    let y: Float = -0.62
    sketch.fill(
      .body,
      lay(
        Outline.smooth(
          [
            Point(-grip * 0.38, y), Point(-grip * 0.38, -0.1), Point(-grip * 0.5, 0.4), Point(-grip * 0.56, 0.8),
            Point(-grip * 0.4, 0.92),
          ], isClosed: false
        ).withMirror()), relief: .barrel)
    if hasGrip {
      sketch.fill(
        .bodyDark, lay(.rectangle(-grip * 0.58, 0.3, grip * 0.58, 0.93, corner: 0.1)), relief: .barrel, height: 0.05)
    }
    sketch.fill(
      .metal,
      lay(
        .smooth(
          [
            Point(-0.1, y - head * 0.5), Point(0.16, y - head * 0.5), Point(claw * 0.8, y - head * 0.3),
            Point(claw + 0.08, y + droop), Point(claw * 0.7, y + head * 0.2), Point(0.14, y + head * 0.5),
            Point(-0.1, y + head * 0.5),
          ], isClosed: true)), relief: .roll, height: 0.1)
    sketch.fill(
      .metal, lay(.rectangle(-face + 0.1, y - head * 0.4, 0.14, y + head * 0.4, corner: 0.03)), relief: .roll,
      height: 0.1)
    sketch.fill(
      .metal, lay(.rectangle(-face - 0.06, y - head * 0.56, -face + 0.14, y + head * 0.56, corner: 0.04)),
      relief: .roll,
      height: 0.2)
  }

  /// A pair of scissors, open, with the blades up.
  static func scissors(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let open = choice.between(0.04, 0.085)
    let tilt = choice.between(-0.1, 0.1)
    let blade = choice.between(0.16, 0.22)
    let ring = choice.between(0.22, 0.27)
    let aspect = choice.between(1, 1.35)
    let thick = choice.between(0.13, 0.17)
    let pivotY = choice.between(-0.02, 0.1)
    let pivot = Point(0, pivotY)

    for side in [Float(-1), 1] {
      func lay(_ outline: Outline) -> Outline {
        (side < 0 ? outline.mirrored() : outline).turned(side * open, about: pivot).turned(tilt)
      }
      let height: Float = side > 0 ? 0.15 : 0
      sketch.fill(
        .metal,
        lay(
          .polygon([
            Point(-blade * 0.5, pivotY + 0.12), Point(-blade * 0.5, -0.86), Point(-blade * 0.2, -0.8),
            Point(blade * 0.5, -0.3), Point(blade * 0.5, pivotY + 0.12),
          ])), height: height)
      let centre = Point(-ring * 0.45, 0.9 - ring * aspect)
      sketch.stroke(
        .body, lay(.line([pivot + Point(0, 0.02), Point(-ring * 0.3, centre.y - ring * aspect + 0.06)])), width: thick,
        relief: .barrel, height: height)
      sketch.stroke(
        .body, lay(.ellipse(centre, ring - thick / 2, ring * aspect - thick / 2)), width: thick, relief: .round,
        height: height)
    }
    sketch.fill(.dark, .circle(Outline.line([pivot]).turned(tilt).points[0], 0.055), relief: .round, height: 0.3)
  }

  /// A guitar, upright or a little aslant: acoustic with a sound hole, or electric with horns.
  static func guitar(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let tilt = choice.between(-0.08, 0.08)
    let hip = choice.between(0.44, 0.54)
    let shoulder = choice.between(0.74, 0.86)
    let waist = choice.between(0.58, 0.7)
    let neck = choice.between(0.12, 0.15)
    let isElectric = choice.chance(0.35)
    let head = choice.between(0.11, 0.15)
    let hole = choice.between(0.13, 0.17)
    func lay(_ outline: Outline) -> Outline { outline.turned(tilt) }

    if isElectric {
      sketch.fill(
        .body,
        lay(
          .smooth(
            [
              Point(-0.1, 0.06), Point(-hip * 0.72, -0.24), Point(-hip * 0.62, 0.1), Point(-hip * waist, 0.3),
              Point(-hip, 0.6), Point(-hip * 0.6, 0.88), Point(hip * 0.5, 0.88), Point(hip, 0.6),
              Point(hip * waist, 0.32), Point(hip * 0.7, 0.08), Point(hip * 0.66, -0.12), Point(0.1, 0.06),
            ], isClosed: true)))
    } else {
      let half = [
        Point(hip * shoulder * 0.7, -0.06), Point(hip * shoulder, 0.12), Point(hip * waist, 0.3), Point(hip, 0.58),
        Point(hip * 0.66, 0.87),
      ]
      let mirrored = half.reversed().map { Point(-$0.x, $0.y) }
      let shape = [Point(0, -0.1)] + half + [Point(0, 0.92)] + mirrored
      sketch.fill(.body, lay(.smooth(shape, isClosed: true)))
      sketch.fill(.dark, lay(.circle(Point(0, 0.22), hole)), height: 0.02)
    }
    sketch.fill(
      .wood, lay(.rectangle(-neck / 2, -0.7, neck / 2, isElectric ? 0.2 : 0.06)), relief: .barrel, height: 0.1)
    for peg in 0..<3 {
      let y = -0.86 + Float(peg) * 0.09
      let reach = head + 0.05 - Float(peg) * 0.01
      sketch.stroke(.metal, lay(.line([Point(-reach, y), Point(reach, y)])), width: 0.05, height: 0.05)
    }
    sketch.fill(
      .bodyDark,
      lay(.polygon([Point(-neck / 2, -0.64), Point(-head, -0.92), Point(head, -0.92), Point(neck / 2, -0.64)])),
      height: 0.1)
    sketch.fill(.dark, lay(.rectangle(-0.16, 0.62, 0.16, 0.7, corner: 0.02)), height: 0.1)
    sketch.stroke(.light, lay(.line([Point(0, -0.66), Point(0, 0.64)])), width: 0.035, height: 0.12, isOutlined: false)
  }

  /// An open umbrella with a hooked handle.
  static func umbrella(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let tilt = choice.between(-0.06, 0.06)
    let wide = choice.between(0.8, 0.92)
    let dome = choice.between(0.56, 0.74)
    let panels = 3 + choice.one(of: 3)
    let scallop = choice.between(0.08, 0.14)
    let hook = choice.between(0.12, 0.18)
    let side: Float = choice.chance(0.5) ? 1 : -1
    let hasStripes = choice.chance(0.5)
    let stripe: Material = choice.chance(0.5) ? .bodyLight : .bodyDark
    func lay(_ outline: Outline) -> Outline { outline.turned(tilt) }

    let low = -0.76 + dome
    let bend = 0.88 - hook
    sketch.stroke(.wood, lay(.line([Point(0, -0.9), Point(0, bend)])), width: 0.08, relief: .barrel, height: -0.3)
    sketch.stroke(
      .wood, lay(.arc(Point(side * hook, bend), hook, hook, from: side > 0 ? 0.5 : 0, to: side > 0 ? 0 : 0.5)),
      width: 0.1, relief: .barrel, height: -0.3)
    for panel in 0..<panels {
      func x(_ share: Float) -> Float { -cos(share * .pi) * wide }
      let (a, b) = (Float(panel) / Float(panels), Float(panel + 1) / Float(panels))
      var points: [Point] = []
      for step in 0...6 {
        let angle = Float(step) / 6 * .pi / 2
        points.append(Point(x(a) * sin(angle), low - dome * cos(angle)))
      }
      points.append(Point((x(a) + x(b)) / 2, low - scallop))
      for step in (0...6).reversed() {
        let angle = Float(step) / 6 * .pi / 2
        points.append(Point(x(b) * sin(angle), low - dome * cos(angle)))
      }
      let isStriped = hasStripes && panel % 2 == 1
      sketch.fill(isStriped ? stripe : .body, lay(.polygon(points)), relief: .round)
    }
  }
}
