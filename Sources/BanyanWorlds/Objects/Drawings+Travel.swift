import Foundation

extension Drawings {
  /// A bicycle from the side, its front wheel to the right.
  static func bicycle(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let radius = choice.between(0.35, 0.41)
    let reach = choice.between(0.48, 0.52)
    let saddleTop = choice.between(-0.42, -0.26)
    let barTop = choice.between(-0.6, -0.42)
    let isStepThrough = choice.chance(0.3)
    let bar = choice.one(of: 3)
    let spokes = 5 + choice.one(of: 4)
    let hasMudguards = choice.chance(0.4)
    let firstSpoke = choice.between(0, 0.5)

    let rear = Point(-reach, 0.9 - radius)
    let front = Point(reach, 0.9 - radius)
    let pedal = Point(-0.08, 0.9 - radius + 0.06)
    let seat = Point(-0.26, saddleTop + 0.08)
    let head = Point(front.x - 0.18, barTop + 0.24)

    for hub in [rear, front] {
      // All spokes are one line that returns to the hub after each.
      let star = (0..<spokes).flatMap { spoke -> [Point] in
        let angle = (firstSpoke + Float(spoke) / Float(spokes)) * 2 * .pi
        return [hub, hub + Point(cos(angle), sin(angle)) * (radius - 0.06)]
      }
      sketch.stroke(.metal, .line(star), width: 0.025, height: -0.1, isOutlined: false)
      sketch.stroke(.dark, .circle(hub, radius - 0.04), width: 0.07)
      sketch.stroke(.body, .circle(hub, radius - 0.095), width: 0.06, isOutlined: false)
      if hasMudguards {
        sketch.stroke(.body, .arc(hub, radius + 0.03, radius + 0.03, from: 0.52, to: 0.86), width: 0.07)
      }
    }
    let crossing = seat + (pedal - seat) * (isStepThrough ? 0.62 : 0.15)
    let tubes: [[Point]] = [
      [seat, pedal, head],
      [crossing, head + Point(-0.02, -0.06)], [head + Point(-0.03, -0.1), head, front],
    ]
    let stays = [pedal, rear, seat + (pedal - seat) * 0.2]
    sketch.stroke(.body, .line(stays), width: 0.075, relief: .roll, height: 0.05)
    for tube in tubes { sketch.stroke(.body, .line(tube), width: 0.1, relief: .roll, height: 0.1) }
    sketch.fill(.metal, .circle(pedal, 0.1), height: 0.15)
    sketch.stroke(.dark, .line([pedal, pedal + Point(0.1, 0.16), pedal + Point(0.2, 0.16)]), width: 0.06, height: 0.2)

    sketch.fill(
      .dark,
      .smooth(
        [
          Point(seat.x - 0.2, saddleTop - 0.03), Point(seat.x, saddleTop - 0.01), Point(seat.x + 0.2, saddleTop - 0.01),
          Point(seat.x + 0.04, saddleTop + 0.07), Point(seat.x - 0.18, saddleTop + 0.1),
        ], isClosed: true), relief: .round, height: 0.2)
    let stem = Point(head.x - 0.06, barTop)
    let grip: [Point]
    switch bar {
    case 0: grip = [.zero, Point(0.2, 0), Point(0.28, 0.1), Point(0.22, 0.22), Point(0.1, 0.22)]
    case 1: grip = [Point(0.1, -0.04), .zero, Point(-0.14, 0), Point(-0.24, 0.04)]
    default: grip = [.zero, Point(0.08, -0.1), Point(-0.02, -0.16), Point(-0.2, -0.14)]
    }
    sketch.stroke(.dark, .line([head + Point(-0.03, -0.1), stem]), width: 0.07, height: 0.15)
    sketch.stroke(.dark, .smooth(grip.map { stem + $0 }, isClosed: false), width: 0.08, height: 0.2)
  }

  /// An airliner obliquely from above, its nose to the right.
  static func aeroplane(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let climb = choice.between(-0.11, 0)
    let girth = choice.between(0.13, 0.18)
    let sweep = choice.between(0.25, 0.5)
    let span = choice.between(0.7, 0.84)
    let far = choice.between(0.7, 1)
    let fin = choice.between(0.34, 0.46)
    let chord = choice.between(0.36, 0.46)
    let engines = 1 + choice.one(of: 2)
    let hasStripe = choice.chance(0.5)
    let windows = 4 + choice.one(of: 3)
    func lay(_ outline: Outline) -> Outline { outline.turned(climb).scaled(0.93, 0.93).moved(0.07, -0.05) }

    func wing(_ length: Float) -> Outline {
      .polygon([
        Point(0.28, 0), Point(0.28 - chord, 0), Point(-0.1 - sweep, length), Point(0.06 - sweep, length),
      ])
    }
    func engine(_ share: Float, _ length: Float) -> Outline {
      let x = 0.3 - (0.2 + sweep) * share
      let y = length * share
      return .rectangle(x - 0.1, y - 0.06, x + 0.14, y + 0.06, corner: 0.06)
    }
    for index in 0..<engines {
      let share: Float = engines == 1 ? 0.45 : 0.34 + 0.3 * Float(index)
      sketch.fill(.metal, lay(engine(share, -span * far)), relief: .roll, height: -0.3)
    }
    sketch.fill(.bodyDark, lay(wing(-span * far)), height: -0.2)
    sketch.fill(
      .bodyDark,
      lay(.polygon([Point(-0.6, 0), Point(-0.82, 0), Point(-0.96, -0.27), Point(-0.86, -0.27)])), height: -0.1)
    sketch.fill(
      .body,
      lay(
        .smooth(
          [
            Point(0.93, 0.03), Point(0.8, -girth * 0.75), Point(0.55, -girth), Point(-0.5, -girth * 0.9),
            Point(-0.93, -girth * 0.7), Point(-0.9, -girth * 0.1), Point(-0.5, girth * 0.85), Point(0.55, girth),
            Point(0.82, girth * 0.75),
          ], isClosed: true)), relief: .roll)
    sketch.fill(
      .accent,
      lay(
        .polygon([
          Point(-0.5, -girth * 0.8), Point(-0.86, -girth * 0.6), Point(-0.94, -girth - fin),
          Point(-0.79, -girth - fin),
        ])), height: 0.05)
    sketch.fill(
      .glass,
      lay(
        .polygon([
          Point(0.66, -girth * 0.85), Point(0.8, -girth * 0.6), Point(0.84, -girth * 0.15), Point(0.68, -girth * 0.15),
        ])), height: 0.05)
    for index in 0..<windows {
      let x = 0.5 - Float(index) * 0.9 / Float(windows)
      sketch.fill(.glass, lay(.circle(Point(x, -girth * 0.4), 0.04)), height: 0.05, isOutlined: false)
    }
    if hasStripe {
      sketch.stroke(
        .accent, lay(.line([Point(0.8, girth * 0.35), Point(-0.7, girth * 0.2)])), width: 0.05, height: 0.05,
        isOutlined: false)
    }
    for index in 0..<engines {
      let share: Float = engines == 1 ? 0.45 : 0.34 + 0.3 * Float(index)
      sketch.fill(.metal, lay(engine(share, span)), relief: .roll, height: 0.1)
    }
    sketch.fill(.body, lay(wing(span).moved(0, girth * 0.4)), height: 0.2)
    sketch.fill(
      .body,
      lay(.polygon([Point(-0.58, 0.04), Point(-0.8, 0.02), Point(-0.96, 0.31), Point(-0.85, 0.31)])), height: 0.2)
  }
}
