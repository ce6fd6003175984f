extension Drawings {
  /// A chair that faces right, a little from above; its back is a panel, slats or rungs.
  static func chair(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let length = choice.between(0.72, 0.92)
    let slant = Point(choice.between(0.26, 0.36), choice.between(-0.24, -0.16))
    let seatTop = choice.between(0.1, 0.24)
    let backTop = choice.between(-0.62, -0.5)
    let lean = choice.between(0.04, 0.18)
    let leg = choice.between(0.1, 0.14)
    let splay = choice.between(0, 0.08)
    let back = choice.one(of: 3)
    let hasCushion = choice.chance(0.4)
    let hasStretcher = choice.chance(0.5)

    let left = -(length + slant.x - lean) / 2
    let nearBack = Point(left, seatTop)
    let nearFront = Point(left + length, seatTop)
    let farBack = nearBack + slant
    let farFront = nearFront + slant
    let nearTop = Point(left - lean, backTop)
    let farTop = nearTop + slant
    let foot = Point(0, 0.9 - leg / 2)
    let nearBackFoot = Point(nearBack.x - splay, foot.y)
    let nearFrontFoot = Point(nearFront.x + splay, foot.y)
    let lift = slant.y * 0.8

    for (top, bottom) in [(farBack, nearBackFoot), (farFront, nearFrontFoot)] {
      sketch.stroke(
        .bodyDark, .line([top, Point(bottom.x + slant.x, bottom.y + lift)]), width: leg * 0.9, relief: .barrel,
        height: -0.3)
    }
    sketch.stroke(.body, .line([farBack, farTop]), width: leg, relief: .barrel, height: -0.2)
    switch back {
    case 0:
      let low = nearBack + (nearTop - nearBack) * 0.35
      sketch.fill(.body, .polygon([nearTop, farTop, low + slant, low]), height: -0.1)
    case 1:
      for share in [Float(0.35), 0.66, 1] {
        let rung = nearBack + (nearTop - nearBack) * share
        sketch.stroke(.body, .line([rung, rung + slant]), width: leg, height: -0.1)
      }
    default:
      for index in 1...2 {
        let slat = slant * (Float(index) / 3)
        sketch.stroke(.body, .line([nearBack + slat, nearTop + slat]), width: leg * 0.6, height: -0.1)
      }
      sketch.stroke(.body, .line([nearTop, farTop]), width: leg * 1.3, height: -0.1)
    }
    sketch.stroke(.body, .line([nearFront, nearFrontFoot]), width: leg, relief: .barrel, height: 0.2)
    sketch.stroke(.body, .line([nearBackFoot, nearBack, nearTop]), width: leg, relief: .barrel, height: 0.2)
    if hasStretcher {
      let drop = Point(0, (foot.y - seatTop) * 0.55)
      sketch.stroke(.body, .line([nearBack + drop, nearFront + drop]), width: leg * 0.7, relief: .roll, height: 0.15)
    }
    let thick = Point(0, leg)
    sketch.fill(
      .body, .polygon([nearBack, farBack, farFront, farFront + thick, nearFront + thick, nearBack + thick]),
      height: 0.2)
    let cover: [Point] = [nearBack, farBack, farFront, nearFront].map { corner in
      let centre = (nearBack + farFront) * 0.5
      return centre + (corner - centre) * (hasCushion ? 0.94 : 1)
    }
    sketch.fill(hasCushion ? .accent : .bodyLight, .polygon(cover), height: 0.25)
  }

  /// A table lamp: a shade on a rod or on a bellied foot.
  static func lamp(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let top = choice.between(0.22, 0.42)
    let rim = choice.between(0.62, 0.8)
    let shadeLow = choice.between(-0.08, 0.12)
    let bend = choice.between(-0.08, 0.08)
    let foot = choice.between(0.34, 0.48)
    let belly = choice.between(0.18, 0.3)
    let kind = choice.one(of: 3)
    let hasChain = choice.chance(0.4)
    let hasTrim = choice.chance(0.5)
    let chainSide: Float = choice.chance(0.5) ? 1 : -1

    sketch.stroke(.metal, .line([Point(0, shadeLow - 0.2), Point(0, 0.8)]), width: 0.11, relief: .barrel, height: -0.1)
    if kind == 1 {
      let shape = Outline.smooth(
        [
          Point(-0.09, shadeLow + 0.1), Point(-belly * 0.55, 0.36), Point(-belly, 0.58), Point(-belly * 0.8, 0.78),
          Point(-belly * 0.5, 0.86),
        ], isClosed: false)
      sketch.fill(.accent, shape.withMirror(), relief: .barrel)
    } else if kind == 2 {
      sketch.fill(.metal, .ellipse(Point(0, 0.46), 0.14, 0.1), relief: .round)
    }
    sketch.fill(
      .accent,
      Outline.smooth(
        [Point(-0.09, 0.72), Point(-foot * 0.75, 0.8), Point(-foot, 0.9)], isClosed: false
      ).withMirror(), relief: .barrel)
    if hasChain {
      let x = chainSide * rim * 0.55
      sketch.stroke(.metal, .line([Point(x, shadeLow), Point(x, shadeLow + 0.24)]), width: 0.035)
      sketch.fill(.metal, .circle(Point(x, shadeLow + 0.26), 0.055), relief: .round)
    }
    let middle = Point(-(top + rim) / 2 - bend, (shadeLow - 0.9) / 2)
    let side = Outline.smooth([Point(-top, -0.9), middle, Point(-rim, shadeLow)], isClosed: false)
    sketch.fill(.body, side.withMirror(), relief: .barrel, height: 0.3)
    if hasTrim {
      let slope = (rim - top) / (shadeLow + 0.9) * 0.12
      sketch.fill(
        .bodyDark,
        .polygon([
          Point(-rim + slope, shadeLow - 0.11), Point(rim - slope, shadeLow - 0.11), Point(rim, shadeLow),
          Point(-rim, shadeLow),
        ]), relief: .barrel, height: 0.32, isOutlined: false)
    }
  }

  /// An alarm clock with two bells and two feet, at any time of the day.
  static func clock(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let radius = choice.between(0.6, 0.68)
    let rim = choice.between(0.16, 0.22)
    let bell = choice.between(0.22, 0.29)
    let spread = choice.between(0.09, 0.12)
    let squareness = choice.chance(0.25)
    let minute = choice.between(0, 1)
    let hour = Float(choice.one(of: 12)) / 12 + minute / 12
    let ticks = choice.chance(0.5) ? 12 : 4
    let foot = choice.between(0.1, 0.15)

    // The feet end at 0.18 outside the case, a tenth of a turn from below.
    let centre = Point(0, 0.9 - foot / 2 - (radius + 0.18) * 0.81)
    func around(_ turn: Float, _ distance: Float) -> Point {
      Outline.line([centre - Point(0, distance)]).turned(turn, about: centre).points[0]
    }
    for side in [Float(-1), 1] {
      let leg = [around(0.5 - side * 0.09, radius - 0.1), around(0.5 - side * 0.1, radius + 0.18)]
      sketch.stroke(.bodyDark, .line(leg), width: foot, height: -0.1)
    }
    sketch.stroke(.metal, .line([centre, Point(0, centre.y - radius - 0.22)]), width: 0.08, height: -0.1)
    sketch.stroke(
      .metal, .line([Point(-0.08, centre.y - radius - 0.22), Point(0.08, centre.y - radius - 0.22)]), width: 0.11,
      height: -0.1)
    for side in [Float(-1), 1] {
      let place = around(side * spread, radius + 0.06)
      let dome = Outline.arc(place, bell, bell, from: 0.5, to: 1, isClosed: true)
      sketch.fill(.body, dome.turned(side * spread, about: place), relief: .round)
    }
    let shell =
      squareness
      ? Outline.rectangle(-radius, centre.y - radius, radius, centre.y + radius, corner: radius * 0.45)
      : Outline.circle(centre, radius)
    sketch.fill(.body, shell, relief: .round, height: 0.1)
    sketch.fill(.light, .circle(centre, radius - rim), height: 0.2)
    for tick in 0..<ticks {
      let turn = Float(tick) / Float(ticks)
      let mark = [around(turn, radius - rim - 0.1), around(turn, radius - rim - 0.05)]
      sketch.stroke(.dark, .line(mark), width: 0.045, height: 0.22, isOutlined: false)
    }
    let reach = radius - rim
    sketch.stroke(.dark, .line([centre, around(hour, reach * 0.5)]), width: 0.08, height: 0.24)
    sketch.stroke(.dark, .line([centre, around(minute, reach * 0.76)]), width: 0.06, height: 0.26)
  }

  /// A ladder with four to seven rungs: straight, tapered, leaning, or folding with a tread on top.
  static func ladder(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let half = choice.between(0.3, 0.42)
    let taper = choice.between(0.7, 1)
    let steps = 4 + choice.one(of: 4)
    let rail = choice.between(0.1, 0.15)
    let rung = choice.between(0.08, 0.12)
    let slope = choice.between(-0.3, 0.3)
    let isFolding = choice.chance(0.35)
    let lean = isFolding ? slope * 0.3 : slope
    let rungs = isFolding ? min(steps, 5) : steps

    func place(_ side: Float, _ share: Float) -> Point {
      let width = half * (1 + (taper - 1) * share)
      return Point(side * width + lean * (share - 0.5), 0.9 - rail / 2 + (rail - 1.8) * share)
    }
    if isFolding {
      for side in [Float(-1), 1] {
        let foot = place(side, 0) + Point(lean < 0 ? -0.44 : 0.44, -0.14)
        sketch.stroke(.metal, .line([place(side, 0.94), foot]), width: rail * 0.8, height: -0.4)
      }
    }
    for index in 0..<rungs {
      let share = (Float(index) + 0.6) / (Float(rungs) + 0.2)
      sketch.stroke(.body, .line([place(-1, share), place(1, share)]), width: rung, relief: .roll)
    }
    for side in [Float(-1), 1] {
      sketch.stroke(.body, .line([place(side, 0), place(side, 1)]), width: rail, relief: .barrel, height: 0.1)
    }
    if isFolding {
      let (left, right) = (place(-1, 1), place(1, 1))
      sketch.fill(
        .bodyDark, .rectangle(left.x - rail, left.y - rail / 2, right.x + rail, right.y + rail, corner: 0.04),
        relief: .roll, height: 0.2)
    }
  }
}
