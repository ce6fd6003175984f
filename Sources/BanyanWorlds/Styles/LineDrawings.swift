struct PencilRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) {
    (0.9, Wobble(passes: 2, amount: 0.7, seed: scene.textureSeed))
  }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let paper = Colour(0.95, 0.94, 0.90) * variant.tint
    canvas.background(depth: 0.2) { _, _ in paper }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let paper = Colour(0.95, 0.94, 0.90) * variant.tint
    let lead = Colour(0.22, 0.22, 0.24)
    let seed = scene.textureSeed
    return ColourPlane(side: canvas.side) { index, x, y in
      let surface = canvas.surface[index]
      let tone = Tone.luma(surface.rgb) * Tone.lambert(canvas.relief[index], ambient: 0.5)
      let grain = Texture.smooth(x * 1.1, y * 1.1, seed)
      // Strokes of hatching get wider where the surface is darker.
      let stroke = ((x + y) * 0.42 + (grain - 0.5) * 0.9).truncatingRemainder(dividingBy: 1)
      let hatch = Tone.step(0.0, 0.35, 0.85 - tone - abs(stroke - 0.5) * 1.3) * 0.5 * surface.w
      let soft = max(0, 0.7 - tone) * 0.25 * surface.w
      let dark = max(canvas.line[index] * (0.65 + 0.35 * grain), hatch) + soft
      return Tone.mix(paper, lead, min(1, dark)) + (grain - 0.5) * 0.05
    }
  }
}

struct InkRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) {
    (1.7, Wobble(passes: 1, amount: 0.5, seed: scene.textureSeed))
  }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    canvas.background(depth: 0.2) { _, _ in .one }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let paper = Colour(0.98, 0.97, 0.94) * variant.tint
    let ink = Colour(0.05, 0.05, 0.08)
    return ColourPlane(side: canvas.side) { index, _, _ in
      let surface = canvas.surface[index]
      let tone = Tone.luma(surface.rgb) * Tone.lambert(canvas.relief[index], ambient: 0.35)
      let filled = surface.w * Tone.step(0.26, 0.20, tone)
      return Tone.mix(paper, ink, max(filled, min(1, canvas.line[index] * 1.2)))
    }
  }
}

struct BlueprintRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (1.0, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    canvas.background(depth: 0.2) { _, _ in .zero }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let paper = Colour(0.10, 0.26, 0.56) * variant.tint
    let chalk = Colour(0.90, 0.95, 1.0)
    let middle = scene.place.centre / canvas.unit
    let seed = scene.textureSeed
    return ColourPlane(side: canvas.side) { index, x, y in
      let grid = x.truncatingRemainder(dividingBy: 8) < 1 || y.truncatingRemainder(dividingBy: 8) < 1
      let axis = abs(x - middle.x) < 0.5 && Int(y) % 4 < 2 || abs(y - middle.y) < 0.5 && Int(x) % 4 < 2
      let fade = (Texture.smooth(x * 0.08, y * 0.08, seed) - 0.5) * 0.08
      let ground = paper + (grid ? 0.07 : 0) + (axis ? 0.06 : 0) + fade
      let inside = Tone.mix(ground, ground + 0.07, canvas.surface[index].w)
      return Tone.mix(inside, chalk, min(1, canvas.line[index] * 1.1))
    }
  }
}

struct ChalkRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) {
    (1.6, Wobble(passes: 2, amount: 0.8, seed: scene.textureSeed))
  }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    canvas.background(depth: 0.2) { _, _ in .zero }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let board = Colour(0.13, 0.20, 0.17) * variant.tint
    let seed = scene.textureSeed
    return ColourPlane(side: canvas.side) { index, x, y in
      let surface = canvas.surface[index]
      let dust = Texture.smooth(x * 0.12, y * 0.12, seed) * 0.07
      let grain = Texture.cell(Int(x * 1.5), Int(y * 1.5), seed)
      let colour = surface.rgb * 0.45 + 0.52
      let scribble = ((x - y) * 0.3).truncatingRemainder(dividingBy: 1)
      let inside = surface.w * (abs(scribble) < 0.45 ? 0.34 : 0.12) * Tone.step(0.25, 0.75, grain)
      let edge = canvas.line[index] * (0.45 + 0.55 * Tone.step(0.1, 0.6, grain))
      return Tone.mix(board + dust, colour, min(1, max(edge, inside)))
    }
  }
}

struct NeonRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (1.1, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    canvas.background(depth: 0.2) { _, _ in .zero }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let wall = Colour(0.07, 0.05, 0.10) * variant.tint
    let tubes = ColourPlane(side: canvas.side) { index, _, _ in
      let colour = canvas.surface[index].rgb
      // A tube glows in the pure colour of the part that it goes around.
      let peak = max(colour.max(), 0.05)
      let low = colour.min() * 0.75
      let pure = (colour - low) / max(peak - low, 0.05)
      return pure * canvas.line[index]
    }
    let halo = tubes.blurred(2.2)
    return ColourPlane(side: canvas.side) { index, x, y in
      let brick = y.truncatingRemainder(dividingBy: 6) < 0.8 ? Float(0.02) : 0
      return wall - brick + halo[index] * 1.5 + tubes[index] * 0.75 + canvas.line[index] * 0.18
    }
  }
}
