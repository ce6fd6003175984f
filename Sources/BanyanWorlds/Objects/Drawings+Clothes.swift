extension Drawings {
  /// A hat with a band: a top hat, a bowler, a felt hat with a dented crown, a straw hat or a pointed hat.
  static func hat(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let kind = choice.one(of: 5)
    let tall = choice.between(0, 1)
    let brim = choice.between(0.78, 0.92)
    let sag = choice.between(0.1, 0.18)
    let crown = choice.between(0.4, 0.5)
    let flare = choice.between(-0.04, 0.07)
    let band = choice.between(0.13, 0.22)
    let curl = choice.between(0, 1)
    let lean = choice.between(-0.25, 0.25)

    // `low` is where the crown's side meets the brim; the brim's nearest edge lies on the ground.
    let low = 0.86 - sag
    let top: Float
    let half: [Point]
    switch kind {
    case 0:
      top = low - 0.9 - 0.35 * tall
      half = [Point(crown + flare, top), Point(crown, low)]
    case 1:
      top = low - 0.62 - 0.2 * tall
      half = [Point(crown * 0.62, top + 0.07), Point(crown, low - 0.34), Point(crown, low)]
    case 2:
      top = low - 0.74 - 0.2 * tall
      half = [Point(crown * 0.42, top), Point(crown * 0.84, top + 0.16), Point(crown + 0.05, low)]
    case 3:
      top = low - 0.48 - 0.15 * tall
      half = [Point(crown * 0.75, top + 0.06), Point(crown, low - 0.16), Point(crown + 0.02, low)]
    default:
      top = low - 1.2 - 0.35 * tall
      half = [Point(0.2, (top + low) / 2), Point(crown, low)]
    }
    let width = kind == 1 ? brim * 0.92 : brim
    let lift = kind == 3 ? -0.04 : 0.06 + 0.14 * curl
    let edge: [Point] = [
      Point(-width, low - lift), Point(-width * 0.66, low - lift * 0.5), Point(0, low - 0.1),
      Point(width * 0.66, low - lift * 0.5), Point(width, low - lift), Point(width, low - lift + 0.08),
      Point(width * 0.6, low + sag * 0.75), Point(0, 0.9), Point(-width * 0.6, low + sag * 0.75),
      Point(-width, low - lift + 0.08),
    ]
    sketch.fill(.body, .smooth(edge, isClosed: true), height: -0.1)

    let dip = low + sag * 0.5
    let left = half.reversed().map { Point(-$0.x, $0.y) }
    let foot = [Point(crown * 0.55, dip - 0.02), Point(0, dip), Point(-crown * 0.55, dip - 0.02)]
    let shape: Outline
    switch kind {
    case 0: shape = .polygon(left + half + foot)
    case 4: shape = .polygon(left + [Point(lean - 0.04, top), Point(lean + 0.04, top)] + half + foot)
    case 2: shape = .smooth(left + [Point(0, top + 0.15)] + half + foot, isClosed: true)
    default: shape = .smooth(left + [Point(0, top)] + half + foot, isClosed: true)
    }
    sketch.fill(.body, shape, relief: .barrel, height: 0.2)
    let end = half[half.count - 1].x
    let inset = kind == 4 ? band * (end - 0.2) / ((low - top) / 2) : 0
    sketch.fill(
      .accent,
      .polygon(
        [
          Point(-end, low), Point(-end + inset, low - band), Point(0, dip - band), Point(end - inset, low - band),
          Point(end, low),
        ] + foot), relief: .barrel, height: 0.25)
  }

  /// A shoe from the side, its toe to the right: a low or high trainer, a laced shoe with a heel, or a pump.
  static func shoe(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let kind = choice.one(of: 5)
    let rise = choice.between(0, 1)
    let toe = choice.between(0.52, 0.62)
    let sole = choice.between(0.13, 0.2)
    let instep = choice.between(0.18, 0.32)
    let laces = choice.one(of: 2)
    let hasCap = choice.chance(0.6)
    let hasStripe = choice.chance(0.5)
    if kind == 4 { return pump(&sketch, heel: 0.1 * rise, toe: toe, waist: instep) }

    let rows = (kind == 1 ? 3 : 2) + laces
    let collar = kind == 1 ? -0.42 + 0.2 * rise : -0.02 + 0.14 * rise
    let ground: Float = 0.9
    let seam = ground - sole - (kind == 2 ? 0.05 : 0)
    let base = kind == 2 ? seam + 0.03 : ground - 0.04
    let tongue = Point(-0.14, collar - 0.06)
    let bend = Point(0.24, instep + 0.12)
    sketch.fill(
      .bodyDark,
      .smooth(
        [
          Point(-0.8, collar + 0.06), Point(-0.52, collar + 0.07), Point(tongue.x - 0.1, collar - 0.06),
          tongue + Point(0.08, -0.02), bend, Point(-0.5, 0.4),
        ], isClosed: true), height: -0.2)
    sketch.fill(
      .body,
      .smooth(
        [
          Point(-0.84, base), Point(-0.86, seam - 0.18), Point(-0.83, collar + 0.02),
          Point(-0.76, collar - 0.02), Point(-0.52, collar + 0.16), Point(-0.26, collar + 0.08),
          Point(-0.12, collar + 0.1),
          bend, Point(0.55, toe - 0.1), Point(0.8, toe), Point(0.9, seam - 0.06), Point(0.84, base),
        ], isClosed: true), relief: .round)
    if hasCap && kind != 2 {
      sketch.fill(
        .light,
        .smooth(
          [
            Point(0.52, ground - 0.06), Point(0.5, seam - 0.06), Point(0.6, toe - 0.03), Point(0.8, toe + 0.02),
            Point(0.89, seam - 0.05), Point(0.84, ground - 0.06),
          ], isClosed: true), relief: .round, height: 0.05)
    }
    if hasStripe {
      let band = [Point(-0.5, seam + 0.02), Point(-0.32, seam + 0.02), Point(0.06, bend.y + 0.06), Point(-0.1, bend.y)]
      sketch.fill(.accent, .polygon(band), height: 0.05)
    }
    let from = Point(-0.08, collar + 0.16)
    for index in 0..<rows {
      let share = (Float(index) + 0.3) / Float(rows)
      let place = from + (bend - from) * share
      let lace = [place + Point(0.05, -0.05), place + Point(-0.1, 0.05)]
      sketch.stroke(.light, .line(lace), width: 0.055, height: 0.1)
    }
    if kind == 2 {
      // A laced shoe stands on a heel; the arch between heel and ball is open.
      sketch.fill(
        .dark,
        .polygon([
          Point(-0.88, seam), Point(0.9, seam), Point(0.94, seam + 0.07), Point(0.8, ground), Point(0.16, ground),
          Point(-0.2, seam + 0.06), Point(-0.32, seam + 0.06), Point(-0.36, ground), Point(-0.86, ground),
        ]), relief: .roll, height: 0.1)
    } else {
      sketch.fill(
        .light,
        .polygon([
          Point(-0.9, seam - 0.02), Point(0, seam + 0.02), Point(0.9, seam - 0.04), Point(0.95, seam + 0.04),
          Point(0.82, ground), Point(-0.84, ground), Point(-0.92, ground - 0.06),
        ]), relief: .roll, height: 0.1)
    }
  }

  /// A pump from the side, on a high heel.
  private static func pump(_ sketch: inout ObjectSketch, heel: Float, toe: Float, waist: Float) {
    let back = -0.1 - heel
    sketch.fill(
      .bodyDark,
      .polygon([
        Point(-0.84, back + 0.3), Point(-0.44, back + 0.44), Point(-0.62, 0.6), Point(-0.66, 0.9), Point(-0.8, 0.9),
      ]), height: -0.05)
    sketch.fill(
      .body,
      .smooth(
        [
          Point(-0.8, back - 0.16), Point(-0.87, back + 0.14), Point(-0.78, back + 0.36), Point(-0.4, back + 0.48),
          Point(0.02, 0.72), Point(0.3, 0.89), Point(0.78, 0.9), Point(0.94, 0.83), Point(0.72, toe + 0.1),
          Point(0.46, toe - 0.08), Point(0.3, toe - 0.12), Point(0.04, toe), Point(-0.4, waist), Point(-0.66, back),
        ], isClosed: true), relief: .round)
    sketch.fill(.accent, .circle(Point(0.44, toe + 0.06), 0.09), relief: .round, height: 0.1)
  }

  /// A pair of glasses from the front, the arms reaching back.
  static func glasses(_ sketch: inout ObjectSketch, _ choice: inout ShapeChoice) {
    let wide = choice.between(0.34, 0.39)
    let tall = choice.between(0.26, 0.36)
    let rim = choice.between(0.1, 0.14)
    let kind = choice.one(of: 3)
    let arch = choice.between(0.02, 0.12)
    let armLift = choice.between(0.26, 0.44)
    let armIn = choice.between(-0.04, 0.14)
    let isTinted = choice.chance(0.35)

    let centre = Point(0.5, 0.16)
    let lens: Outline
    switch kind {
    case 0: lens = .ellipse(centre, wide, (tall + wide) / 2)
    case 1: lens = .rectangle(0.5 - wide, 0.16 - tall, 0.5 + wide, 0.16 + tall, corner: 0.14)
    default:
      let corners: [Point] = [
        Point(-wide, -tall * 0.7), Point(wide, -tall), Point(wide * 0.8, tall * 0.6), Point(0, tall),
        Point(-wide * 0.8, tall * 0.5),
      ]
      lens = .smooth(corners.map { centre + $0 }, isClosed: true)
    }
    let hinge = Point(0.5 + wide, 0.1)
    let arm = [
      hinge, Point(hinge.x - armIn, -armLift), Point(hinge.x - armIn - 0.05, -armLift - 0.1),
      Point(hinge.x - armIn - 0.14, -armLift - 0.1),
    ]
    for outline in [Outline.smooth(arm, isClosed: false), .smooth(arm, isClosed: false).mirrored()] {
      sketch.stroke(.bodyDark, outline, width: rim * 0.85, height: -0.4)
    }
    let gap = 0.5 - wide
    let bridge = [Point(-gap - 0.02, 0.1), Point(0, 0.1 - arch), Point(gap + 0.02, 0.1)]
    sketch.stroke(.body, .smooth(bridge, isClosed: false), width: rim, height: 0.1)
    for shape in [lens, lens.mirrored()] {
      if isTinted { sketch.fill(.bodyDark, shape) }
      sketch.stroke(.body, shape, width: rim, relief: .round, height: 0.1)
    }
  }
}
