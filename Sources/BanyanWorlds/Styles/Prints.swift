struct WatercolourRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) {
    (0.8, Wobble(passes: 1, amount: 1.0, seed: scene.textureSeed))
  }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let paper = Colour(0.98, 0.97, 0.94)
    let wash = ColourName.allCases[scene.choice.one(of: 8)].drawn(&scene.choice)
    let strength = scene.choice.between(0, 0.28)
    let seed = scene.textureSeed ^ 0x33
    canvas.background(depth: 0.2) { x, y in
      let pool = Tone.step(0.35, 0.75, Texture.smooth(x * 0.07, y * 0.07, seed))
      return Tone.mix(paper, wash, strength * pool) * variant.tint
    }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let seed = scene.textureSeed
    let wash = ColourPlane(side: canvas.side) { index, _, _ in
      let surface = canvas.surface[index]
      let lit = Tone.lambert(canvas.relief[index], ambient: 0.62)
      return surface.rgb * Tone.mix(1, lit, surface.w)
    }.blurred(0.9)
    return ColourPlane(side: canvas.side) { index, x, y in
      let rough = Texture.smooth(x * 0.9, y * 0.9, seed)
      let pool = Texture.smooth(x * 0.14, y * 0.14, seed ^ 0x77)
      let thin = canvas.surface[index].w * (0.06 + 0.26 * pool)
      let colour = Tone.mix(wash[index], Colour(0.98, 0.97, 0.94), thin)
      // Pigment gathers at the edge of a wash.
      return colour * (1 - 0.45 * canvas.line[index]) * (0.93 + 0.09 * rough)
    }
  }
}

struct HalftoneRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (0.9, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let low = scene.choice.between(0.62, 0.95)
    let high = scene.choice.between(0.62, 0.95)
    canvas.background(depth: 0.2) { _, y in Colour(repeating: Tone.mix(high, low, y / 64)) }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let paper = Colour(0.91, 0.88, 0.80) * variant.tint
    let ink = Colour(0.12, 0.11, 0.13)
    return ColourPlane(side: canvas.side) { index, x, y in
      let surface = canvas.surface[index]
      let lit = Tone.mix(1, Tone.lambert(canvas.relief[index], ambient: 0.4), surface.w)
      let tone = Tone.luma(surface.rgb) * lit * (1 - 0.75 * canvas.line[index])
      // A screen turned by 45 degrees: a dot's area is the darkness.
      let (u, v) = ((x + y) * 0.31, (x - y) * 0.31)
      let (du, dv) = (u - u.rounded(), v - v.rounded())
      let radius = (max(0, 1 - tone) / 3.1416).squareRoot() * 1.05
      let away = (du * du + dv * dv).squareRoot()
      return Tone.mix(paper, ink, Tone.step(radius + 0.12, radius - 0.12, away))
    }
  }
}

struct PixelRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (2.0, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let tone = ColourName.allCases[scene.choice.one(of: 8)].drawn(&scene.choice)
    let light = tone * 0.35 + 0.6
    let horizon = scene.choice.between(40, 52)
    canvas.background(depth: 0.2) { _, y in (y < horizon ? light : light * 0.8) * variant.tint }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let cells = 24
    let side = canvas.side
    var sums = [SIMD4<Float>](repeating: .zero, count: cells * cells)
    var counts = [Float](repeating: 0, count: cells * cells)
    for row in 0..<side {
      for column in 0..<side {
        let index = row * side + column
        let cell = row * cells / side * cells + column * cells / side
        let surface = canvas.surface[index]
        let lit = Tone.lambert(canvas.relief[index], ambient: 0.55)
        let colour = surface.rgb * Tone.mix(1, lit, surface.w) * (1 - 0.8 * canvas.line[index])
        sums[cell] += SIMD4(colour, 1)
        counts[cell] += 1
      }
    }
    // A palette of five levels a channel, as old consoles had.
    let blocks = sums.indices.map { cell -> Colour in
      let mean = sums[cell].rgb / max(counts[cell], 1)
      return (mean * 4).rounded(.toNearestOrAwayFromZero) / 4
    }
    return ColourPlane(side: side) { index, _, _ in
      blocks[index / side * cells / side * cells + index % side * cells / side]
    }
  }
}
