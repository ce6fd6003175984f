extension Drawings {
  /// A house: a wall with a door and windows below a pitched roof with a chimney.
  static func house(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let half = choice.between(0.58, 0.76)
    let eaves = choice.between(-0.28, -0.1)
    let top = choice.between(-0.9, -0.72)
    let overhang = choice.between(0.11, 0.17)
    let ridge = choice.chance(0.35) ? choice.between(0.25, 0.5) * half : 0
    let doorX = choice.between(-0.12, 0.12)
    let doorPlace = choice.one(of: 2)
    let doorWide = choice.between(0.12, 0.16)
    let doorTall = choice.between(0.44, 0.58)
    let window = choice.between(0.11, 0.14)
    let chimney = choice.between(0.62, 0.72) * half
    let hasAttic = choice.chance(0.5)
    func at(_ x: Float, _ y: Float) -> Point { Point(x * side, y) }
    func box(_ left: Float, _ top: Float, _ right: Float, _ bottom: Float) -> Outline {
      Outline.rectangle(left, top, right, bottom).scaled(side, 1)
    }

    let edge = half + overhang
    let stack = top + (eaves - top) * (chimney - ridge) / (edge - ridge) - 0.24
    sketch.fill(.bodyDark, box(chimney - 0.1, stack, chimney + 0.1, eaves), height: -0.1)
    sketch.fill(.body, .rectangle(-half, eaves - 0.04, half, 0.9))
    let door = doorPlace == 0 ? doorX : -half * 0.5
    sketch.fill(.wood, box(door - doorWide, 0.9 - doorTall, door + doorWide, 0.9), height: 0.05)
    let windowY = eaves + 0.34
    let places = doorPlace == 0 ? [-half * 0.62, half * 0.62] : [half * 0.1, half * 0.66]
    for x in places {
      let pane = box(x - window, windowY - window, x + window, windowY + window)
      sketch.fill(.glass, pane, height: 0.05)
      let bar = window - 0.03
      for (across, down) in [(bar, 0), (0, bar)] {
        let line = Outline.line([at(x - across, windowY - down), at(x + across, windowY + down)])
        sketch.stroke(.light, line, width: 0.05, height: 0.06, isOutlined: false)
      }
    }
    let roof: [Point] =
      ridge > 0
      ? [at(-edge, eaves), at(-ridge, top), at(ridge, top), at(edge, eaves)]
      : [at(-edge, eaves), at(0, top), at(edge, eaves)]
    sketch.fill(.accent, .polygon(roof), height: 0.15)
    if hasAttic && ridge == 0 { sketch.fill(.glass, .circle(Point(0, (top + eaves * 2) / 3), 0.1), height: 0.16) }
  }

  /// A car from the side: a long body, a cabin with windows, two wheels; a saloon, hatchback, beetle or van.
  static func car(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let kind = choice.one(of: 4)
    let wheel = choice.between(0.18, 0.23)
    let belt = choice.between(-0.07, 0.03)
    let tall = choice.between(0.4, 0.5)
    let shift = choice.between(-0.06, 0.06)
    let rake = choice.between(0.16, 0.28)
    let hood = choice.between(0, 0.08)
    let frontWheel = choice.between(0.5, 0.58)
    let rearWheel = choice.between(-0.58, -0.48)
    let pillar = choice.between(-0.16, 0.02)
    let hasStripe = choice.chance(0.3)
    func at(_ x: Float, _ y: Float) -> Point { Point(x * side, y) }

    let sill: Float = 0.42
    // Where the cabin meets the body, and how far its rear edge leans.
    let (rear, front, lean) =
      switch kind {
      case 0: (-0.6 + shift, 0.44 + shift, rake * 0.8)
      case 1: (-0.88, 0.42 + shift, 0.1 + shift)
      case 2: (-0.84, 0.6 + shift, 0.4)
      default: (-0.9, 0.6, 0.03)
      }
    let roof = belt - tall * (kind == 3 ? 1.12 : 1)
    let slope = kind == 2 ? 0.4 : rake
    let cabin =
      kind == 2
      ? Outline.smooth(
        [
          at(rear, belt), at(rear + 0.16, belt - tall * 0.55), at(rear + 0.42, roof + 0.03), at(-0.08, roof - 0.02),
          at(front - 0.3, roof + 0.1), at(front, belt),
        ], isClosed: false
      ).points
      : [
        at(rear, belt), at(rear + lean, roof + 0.05), at(rear + lean + 0.07, roof), at(front - slope - 0.06, roof),
        at(front - slope + 0.02, roof + 0.04), at(front, belt),
      ]
    let tail = [at(-0.88, sill), at(-0.93, sill - 0.06), at(-0.93, belt + 0.08)]
    let nose = [at(0.84, belt + hood), at(0.92, belt + hood + 0.1), at(0.93, sill - 0.05), at(0.88, sill)]
    sketch.fill(.body, .polygon(tail + cabin + nose), relief: .roll)

    let (top, bottom) = (roof + 0.11, belt + 0.01)
    let drop = (top - roof) / (belt - roof)
    let inset: Float = kind == 2 ? 0.16 : 0.1
    let (left, right) = (rear + lean * (1 - drop) + inset, front - slope * (1 - drop) - inset)
    let rearPane = [
      at(left, top), at(pillar - 0.045, top), at(pillar - 0.045, bottom), at(left - lean * (1 - drop) * 0.75, bottom),
    ]
    let frontPane = [
      at(pillar + 0.045, top), at(right, top), at(right + slope * (1 - drop) * 0.8, bottom), at(pillar + 0.045, bottom),
    ]
    sketch.fill(.glass, .polygon(rearPane), height: 0.05)
    sketch.fill(.glass, .polygon(frontPane), height: 0.05)
    if hasStripe {
      let (upper, lower) = (belt + 0.18, belt + 0.27)
      sketch.fill(
        .accent, .polygon([at(-0.93, upper), at(0.93, upper), at(0.93, lower), at(-0.93, lower)]), height: 0.05)
    }
    sketch.fill(.light, .ellipse(at(0.86, belt + hood + 0.14), 0.06, 0.07), relief: .round, height: 0.1)
    for x in [rearWheel, frontWheel] {
      let centre = at(x, sill + 0.04)
      sketch.fill(.dark, .circle(centre, wheel), height: 0.3)
      sketch.fill(.metal, .circle(centre, wheel * 0.5), relief: .round, height: 0.35)
    }
  }

  /// A boat from the side: a hull with a mast and sails, or with a cabin and a funnel.
  static func boat(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let side: Float = choice.chance(0.5) ? 1 : -1
    let deck = choice.between(0.32, 0.44)
    let bow = choice.between(0.82, 0.94)
    let stern = choice.between(-0.9, -0.78)
    let keel = choice.between(0.4, 0.6)
    let isSteamer = choice.chance(0.3)
    let hasFlag = choice.chance(0.4)
    let mast = choice.between(-0.16, 0.12)
    let top = choice.between(-0.88, -0.78)
    let boom = choice.between(0.56, 0.72)
    let jib = choice.between(0.4, 0.6)
    let isBanded = choice.chance(0.4)
    let hasJib = choice.chance(0.8)
    let funnels = 1 + choice.one(of: 2)
    let cabin = choice.between(0.26, 0.36)
    func at(_ x: Float, _ y: Float) -> Point { Point(x * side, y) }

    if isSteamer {
      let (left, right) = (stern + 0.26, bow - 0.5)
      let cabinTop = deck - cabin
      for funnel in 0..<funnels {
        let x = (left + right) / 2 + (funnels == 1 ? -0.05 : Float(funnel) * 0.44 - 0.22)
        sketch.fill(
          .accent,
          .polygon([
            at(x - 0.11, top + 0.5), at(x + 0.11, top + 0.5), at(x + 0.13, cabinTop + 0.05),
            at(x - 0.13, cabinTop + 0.05),
          ]),
          relief: .barrel, height: -0.05)
      }
      sketch.fill(
        .light, .polygon([at(left, cabinTop), at(right, cabinTop), at(right + 0.1, deck + 0.1), at(left, deck + 0.1)]))
      for share: Float in [0.2, 0.5, 0.8] {
        sketch.fill(.glass, .circle(at(left + (right - left) * share, cabinTop + cabin * 0.5), 0.08), height: 0.05)
      }
    } else {
      sketch.stroke(.wood, .line([at(mast, top), at(mast, deck + 0.1)]), width: 0.075, relief: .round)
      if hasFlag {
        sketch.fill(.accent, .polygon([at(mast, top - 0.04), at(mast - 0.3, top + 0.06), at(mast, top + 0.16)]))
      }
      let foot = deck - 0.1
      let head = hasFlag ? top + 0.2 : top + 0.04
      sketch.fill(
        .body,
        .smooth(
          [at(mast - 0.07, head), at(mast - boom * 0.52, head + (foot - head) * 0.46), at(mast - boom, foot)],
          isClosed: false
        )
        .closed(by: [at(mast - 0.07, foot)]), relief: .flat, height: 0.05)
      if hasJib {
        sketch.fill(
          .light, .polygon([at(mast + 0.07, head + 0.1), at(mast + jib, foot), at(mast + 0.07, foot)]), height: 0.05)
      }
    }
    let hull: [Point] = [
      at(stern, deck + 0.02), at(stern + 0.08, 0.62), at(stern + (0.9 + stern) + 0.24, 0.86), at(stern + 0.34, 0.9),
      at(keel, 0.9), at(keel + 0.16, 0.82), at(bow - 0.08, deck + 0.16), at(bow, deck - 0.04),
    ]
    sketch.fill(.body, .polygon(hull), relief: .roll, height: 0.1)
    if isBanded {
      sketch.fill(
        .accent,
        .polygon([
          at(stern + 0.02, deck + 0.1), at(bow - 0.03, deck + 0.07), at(bow - 0.08, deck + 0.17),
          at(stern + 0.04, deck + 0.19),
        ]), height: 0.12)
    }
  }
}

extension Outline {
  /// The open line closed over further points.
  fileprivate func closed(by further: [Point]) -> Outline { .polygon(points + further) }
}
