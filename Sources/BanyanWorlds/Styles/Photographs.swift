/// Things behind the object that several styles draw.
enum Surroundings {
  /// The shadow that the object throws on the floor.
  static func shadow(_ canvas: SceneCanvas, _ scene: Scene, strength: Float) {
    let foot = scene.place.centre + Point(0.12, 0.88) * scene.place.scale
    for (size, share) in [(Float(1.0), Float(0.35)), (0.8, 0.45), (0.6, 0.5)] {
      canvas.lay(
        .ellipse(foot, scene.place.scale * 0.85 * size, scene.place.scale * 0.17 * size), Colour(0.1, 0.1, 0.12),
        opacity: strength * share, depth: 0.2)
    }
  }

  /// Other things, far away and muted: boxes, posts and objects of any class.
  static func clutter(_ canvas: SceneCanvas, _ scene: inout Scene, tone: Colour, count: Int) {
    for _ in 0..<count {
      let x = scene.choice.between(2, 62)
      let y = scene.choice.between(12, 52)
      let size = scene.choice.between(4, 9)
      let colours = ObjectColours(muted: tone, &scene.choice)
      let kind = scene.choice.one(of: 5)
      let unit = canvas.unit
      switch kind {
      case 0:
        let box = Outline.rectangle(x - size, y - size * 0.7, x + size, y + size * 0.8)
        canvas.lay(box.mapped { $0 * unit }, colours[.body], depth: 0.15)
      case 1:
        canvas.lay(
          Outline.rectangle(x - 1, y - size, x + 1, y + size).mapped { $0 * unit }, colours[.dark], depth: 0.15)
      case 2:
        canvas.lay(Outline.circle(Point(x, y), size * 0.7).mapped { $0 * unit }, colours[.body], depth: 0.15)
      default:
        let other = ObjectClass.allCases[scene.choice.one(of: ObjectClass.allCases.count)]
        let sketch = other.draw(&scene.choice)
        let place = Placement(
          centre: Point(x, y) * unit, scale: size * unit, turn: scene.choice.between(-0.05, 0.05),
          isMirrored: scene.choice.chance(0.5), shear: 0)
        canvas.draw(sketch, at: place, colours: colours, isObject: false, nearness: 0.15)
      }
    }
  }
}

struct StudioRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (0, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let tone = Colour(
      scene.choice.between(0.72, 0.95), scene.choice.between(0.72, 0.95), scene.choice.between(0.72, 0.95))
    let horizon = scene.choice.between(36, 50)
    canvas.background(depth: 0.2) { x, y in
      let fall = Tone.step(horizon - 8, horizon + 8, y)
      let spot = 1.02 - 0.00009 * ((x - 26) * (x - 26) + (y - 22) * (y - 22))
      return Tone.mix(tone, tone * 0.86, fall) * spot * variant.tint
    }
    Surroundings.shadow(canvas, scene, strength: 0.7)
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    ColourPlane(side: canvas.side) { index, _, _ in
      let surface = canvas.surface[index]
      let relief = canvas.relief[index]
      let lit = surface.rgb * Tone.lambert(relief) + Tone.gloss(relief) * 0.45
      return Tone.mix(surface.rgb, lit, surface.w)
    }
  }
}

struct StreetRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (0, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let wall = Colour(
      scene.choice.between(0.45, 0.8), scene.choice.between(0.45, 0.75), scene.choice.between(0.4, 0.75))
    let floor = wall * scene.choice.between(0.55, 0.75)
    let horizon = scene.choice.between(34, 48)
    let brick = scene.choice.between(4, 9)
    let seed = scene.textureSeed
    canvas.background(depth: 0.25) { x, y in
      let grain = (Texture.smooth(x * 0.6, y * 0.6, seed) - 0.5) * 0.14
      guard y < horizon else { return (floor + grain) * variant.tint }
      let course = Int(y / brick)
      let joint =
        y - Float(course) * brick < 0.7
        || (x + Float(course % 2) * brick).truncatingRemainder(dividingBy: 2 * brick) < 0.7
      return (wall * (joint ? 0.82 : 1) + grain) * variant.tint
    }
    Surroundings.clutter(canvas, &scene, tone: wall * 0.9, count: 2 + scene.choice.one(of: 4))
    Surroundings.shadow(canvas, scene, strength: 0.8)
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let sun = Colour(1.06, 1.0, 0.90)
    let seed = scene.textureSeed ^ 77
    return ColourPlane(side: canvas.side) { index, x, y in
      let surface = canvas.surface[index]
      let relief = canvas.relief[index]
      let light = Tone.lambert(relief, ambient: 0.36)
      let grain = (Texture.smooth(x * 1.3, y * 1.3, seed) - 0.5) * 0.06
      return surface.rgb * sun * Tone.mix(0.92, light, surface.w) + Tone.gloss(relief) * 0.3 * surface.w + grain
    }
  }
}

struct NightRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (0, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let sky = Colour(0.30, 0.34, 0.46)
    let horizon = scene.choice.between(38, 48)
    canvas.background(depth: 0.25) { _, y in
      (y < horizon ? sky * (0.7 + 0.3 * y / horizon) : sky * 0.55) * variant.tint
    }
    Surroundings.clutter(canvas, &scene, tone: sky * 0.7, count: 2 + scene.choice.one(of: 3))
    for _ in 0..<(3 + scene.choice.one(of: 5)) {
      let at = Point(scene.choice.between(2, 62), scene.choice.between(2, 34)) * canvas.unit
      canvas.lay(.circle(at, scene.choice.between(0.5, 1.2) * canvas.unit), Colour(2.6, 2.2, 1.2), depth: 0.05)
    }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let lamp = scene.place.centre / canvas.unit + Point(-14, -16)
    let moon = Colour(0.30, 0.36, 0.55)
    return ColourPlane(side: canvas.side) { index, x, y in
      let surface = canvas.surface[index]
      let relief = canvas.relief[index]
      let away = (x - lamp.x) * (x - lamp.x) + (y - lamp.y) * (y - lamp.y)
      let glow = 520 / (520 + away)
      let light = moon * 0.7 + Colour(1.0, 0.82, 0.5) * (0.85 * glow * glow)
      return surface.rgb * light * Tone.mix(1, Tone.lambert(relief, ambient: 0.3), surface.w)
        + Tone.gloss(relief) * surface.w * glow * 0.35
    }
  }
}

struct ThermalRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (0, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let seed = scene.textureSeed
    canvas.background(depth: 0.2) { x, y in
      Colour(repeating: 0.12 + 0.14 * Texture.smooth(x * 0.09, y * 0.09, seed) + 0.05 * y / 64)
    }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let stops = [
      Colour(0.02, 0.0, 0.14), Colour(0.32, 0.02, 0.50), Colour(0.80, 0.14, 0.38), Colour(0.98, 0.55, 0.10),
      Colour(1.0, 0.92, 0.42), Colour(1, 1, 0.95),
    ]
    let heat = ColourPlane(side: canvas.side) { index, _, _ in
      let surface = canvas.surface[index]
      let warm = 0.40 + 0.42 * Tone.luma(surface.rgb) * Tone.lambert(canvas.relief[index], ambient: 0.6)
      return Colour(repeating: Tone.mix(surface.x, warm, surface.w))
    }.blurred(0.8)
    return ColourPlane(side: canvas.side) { index, _, _ in
      let at = min(max(heat[index].x, 0), 0.999) * Float(stops.count - 1)
      let low = Int(at)
      return Tone.mix(stops[low], stops[low + 1], at - Float(low)) * variant.tint
    }
  }
}
