import Foundation

extension Drawings {
  /// A fish from the side: a pointed body, a forked tail, fins, an eye and often stripes.
  static func fish(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let tall = choice.between(0.38, 0.53)
    let joint = choice.between(-0.5, -0.4)
    let thin = choice.between(0.07, 0.12)
    let spread = choice.between(0.32, 0.44)
    let fork = choice.between(0.06, 0.24)
    let fin = choice.between(0.16, 0.3)
    let finStart = choice.between(0.25, 0.4)
    let belly = choice.between(0, 0.08)
    let stripes = choice.one(of: 4)
    let eye = choice.between(0.065, 0.09)
    let isRoundTailed = choice.chance(0.35)
    let finMaterial: Material = choice.chance(0.5) ? .accent : .bodyDark
    func at(_ x: Float, _ y: Float) -> Point { Point(x * side, y) }

    let dorsal: [Point] = [
      at(finStart, -tall * 0.7), at(finStart * 0.4, -tall - fin), at(-0.22, -tall * 0.8 - fin * 0.8),
      at(-0.3, -tall * 0.4),
    ]
    sketch.fill(finMaterial, .polygon(dorsal), height: -0.1)
    sketch.fill(
      finMaterial, .polygon([at(0.02, tall * 0.7), at(-0.2, tall * 0.8 + fin * 0.8), at(-0.28, tall * 0.4)]),
      height: -0.1)
    let (tailUp, tailDown) = (at(joint + 0.1, -thin * 0.7), at(joint + 0.1, thin * 0.7))
    let tail: Outline =
      isRoundTailed
      ? .smooth(
        [
          tailUp, at(-0.7, -spread * 0.86), at(-0.88, -spread * 0.7), at(-0.92 + fork * 0.3, 0),
          at(-0.88, spread * 0.7), at(-0.7, spread * 0.86), tailDown,
        ], isClosed: true)
      : .polygon([tailUp, at(-0.9, -spread), at(-0.9 + fork, 0.02), at(-0.9, spread), tailDown])
    sketch.fill(finMaterial, tail, height: -0.05)
    let body = Outline.smooth(
      [
        at(0.92, 0.04), at(0.7, -tall * 0.56), at(0.2, -tall), at(-0.22, -tall * 0.7), at(joint, -thin),
        at(joint, thin), at(-0.22, tall * 0.72 + belly * 0.5), at(0.2, tall + belly), at(0.68, tall * 0.6),
      ], isClosed: true)
    sketch.fill(.body, body, relief: .round)
    for stripe in 0..<stripes {
      let x = 0.2 - Float(stripe) * 0.22
      let reach = tall * (0.86 - Float(stripe) * 0.2)
      sketch.stroke(
        .bodyLight, .smooth([at(x, -reach), at(x - 0.07, 0), at(x, reach)], isClosed: false), width: 0.08, height: 0.05,
        isOutlined: false)
    }
    sketch.stroke(
      .bodyDark, .smooth([at(0.47, -tall * 0.6), at(0.38, 0.02), at(0.47, tall * 0.62)], isClosed: false), width: 0.05,
      height: 0.05)
    sketch.fill(
      finMaterial, .polygon([at(0.3, 0.06), at(0.02, 0.02), at(0.06, 0.26)]), height: 0.2)
    sketch.fill(.light, .circle(at(0.63, -tall * 0.22), eye * 1.3), height: 0.2)
    sketch.fill(.dark, .circle(at(0.65, -tall * 0.22), eye * 0.75), height: 0.25)
  }

  /// A bird from the side: a round head with a beak, a wing, a tail and two thin legs.
  static func bird(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let head = choice.between(0.27, 0.34)
    let headX = choice.between(0.36, 0.46)
    let headY = choice.between(-0.52, -0.4)
    let plump = choice.between(0.38, 0.5)
    let beak = choice.between(0.18, 0.32)
    let tail = choice.between(-0.3, 0.28)
    let tailWide = choice.between(0.1, 0.2)
    let wing = choice.between(0.4, 0.54)
    let wingLift = choice.between(-0.1, 0.2)
    let legs = choice.between(0.06, 0.14)
    let pitch = choice.between(-0.045, 0.06)
    let hasBreast = choice.chance(0.4)
    let hasCrest = choice.chance(0.25)
    let isForked = choice.chance(0.3)
    let y: Float = 0.56 - plump
    let (c, s) = (cos(pitch * 2 * .pi), sin(pitch * 2 * .pi))
    // The whole bird but its legs tips about the middle of its body.
    func at(_ x: Float, _ height: Float) -> Point {
      let up = height - y
      return Point((x * c - up * s) * 0.9 * side, y + x * s + up * c)
    }

    for x: Float in [0.05 - legs, 0.05 + legs] {
      sketch.stroke(
        .accent, .line([Point(x * side, y + plump * 0.6), Point(x * side, 0.86), Point((x + 0.12) * side, 0.86)]),
        width: 0.065, height: -0.1)
    }
    sketch.fill(
      .bodyDark,
      .polygon([
        at(-0.3, y - 0.12), at(-0.88, tail - tailWide), at(isForked ? -0.72 : -0.9, tail),
        at(-0.88, tail + tailWide * 0.8), at(-0.3, y + 0.2),
      ]), height: -0.1)
    if hasCrest {
      sketch.fill(
        .bodyDark,
        .polygon([
          at(headX + head * 0.4, headY - head * 0.7), at(headX - 0.1, headY - head - 0.13),
          at(headX - 0.04, headY - head),
          at(headX - 0.34, headY - head * 0.9), at(headX - head * 0.8, headY - head * 0.2),
        ]), height: -0.05)
    }
    let tip = headX + head * 0.86
    sketch.fill(
      .accent, .polygon([at(tip - 0.02, headY - 0.12), at(tip + beak, headY + 0.04), at(tip - 0.04, headY + 0.16)]),
      height: -0.05)
    let back = y - plump * 0.75
    sketch.fill(
      .body,
      .smooth(
        [
          at(headX - head * 0.1, headY - head), at(headX + head * 0.75, headY - head * 0.62),
          at(headX + head, headY + 0.05), at(headX + head * 0.72, headY + head * 0.8),
          at(headX + 0.06, y + plump * 0.45),
          at(0.12, y + plump), at(-0.3, y + plump * 0.75), at(-0.62, y + 0.04), at(-0.4, back + 0.1),
          at(-0.05, back + 0.02), at(headX - head * 0.86, headY - head * 0.3),
        ], isClosed: true), relief: .round)
    if hasBreast {
      sketch.fill(
        .light, .ellipse(at(0.26, y + plump * 0.3), 0.2, plump * 0.48), relief: .round, height: 0.05, isOutlined: false)
    }
    let (wingX, wingY) = (Float(0.12), y - 0.04)
    sketch.fill(
      .bodyDark,
      .smooth(
        [
          at(wingX, wingY - 0.1), at(wingX - 0.02, wingY + 0.14), at(wingX - wing * 0.5, wingY + 0.24 - wingLift * 0.4),
          at(wingX - wing * 1.35, wingY + 0.06 - wingLift), at(wingX - wing * 0.5, wingY - 0.18),
        ], isClosed: true), relief: .round, height: 0.2)
    sketch.fill(.dark, .circle(at(headX + head * 0.36, headY - head * 0.16), 0.065), height: 0.2)
  }

  /// A butterfly from above: two pairs of spotted wings, a slim body and feelers.
  static func butterfly(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let half = choice.between(0.78, 0.92)
    let top = choice.between(-0.8, -0.62)
    let lower = choice.between(0.56, 0.76)
    let drop = choice.between(0.66, 0.8)
    let notch = choice.between(0.42, 0.6)
    let body = choice.between(0.065, 0.09)
    let feelers = choice.between(0.2, 0.34)
    let spot = choice.between(0.11, 0.17)
    let marks = choice.one(of: 3)
    let tailed = choice.between(0, 0.13)
    let tip = choice.between(0, 0.2)
    let isRimmed = choice.chance(0.35)
    let lowerMaterial: Material = choice.chance(0.4) && marks == 0 && !isRimmed ? .bodyLight : .body

    for hand: Float in [-1, 1] {
      func at(_ x: Float, _ y: Float) -> Point { Point(x * hand, y) }
      sketch.fill(
        lowerMaterial,
        .smooth(
          [
            at(0.03, 0), at(half * notch, 0.02), at(lower, 0.24), at(lower * 0.86, drop * 0.75),
            at(lower * 0.5, drop + tailed), at(lower * 0.22, drop * 0.7), at(0.03, 0.3),
          ], isClosed: true), height: 0)
      let upper = Outline.smooth(
        [
          at(0.03, -0.1), at(0.2, -0.42), at(half * 0.6, top), at(half * 0.97, top + 0.14 - tip),
          at(half, top + 0.4 - tip * 0.5), at(half * (0.76 - tip), 0.05), at(0.3, 0.14), at(0.03, 0.1),
        ], isClosed: true)
      sketch.fill(isRimmed ? .dark : .body, upper, height: 0.1)
      if isRimmed {
        sketch.fill(.body, upper.scaled(0.84, 0.82, about: at(half * 0.3, top * 0.35)), height: 0.1, isOutlined: false)
      }
      if marks > 0 {
        sketch.fill(.accent, .circle(at(half * 0.68, top + 0.36), spot), height: 0.1)
        sketch.fill(.accent, .circle(at(lower * 0.58, drop * 0.54), spot * 0.8), height: 0.05)
      }
      if marks > 1 {
        sketch.fill(.light, .circle(at(half * 0.36, top + 0.62), spot * 0.6), height: 0.1)
      }
      sketch.stroke(
        .dark,
        .smooth([at(0.02, -0.32), at(0.07, -0.5), at(feelers * 0.7, -0.72), at(feelers, -0.78)], isClosed: false),
        width: 0.05, height: 0.15)
    }
    sketch.fill(
      .dark, .symmetricCurve([Point(0, -0.44), Point(body, -0.32), Point(body, 0.1), Point(0, 0.52)]), relief: .barrel,
      height: 0.2)
  }
}
