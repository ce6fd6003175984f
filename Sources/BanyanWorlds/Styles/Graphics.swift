struct ClipArtRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (1.7, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let plain = scene.choice.chance(0.4)
    let tone =
      plain
      ? Colour.one
      : Colour(scene.choice.between(0.78, 1), scene.choice.between(0.78, 1), scene.choice.between(0.78, 1))
    canvas.background(depth: 0.2) { _, _ in tone * variant.tint }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let black = Colour(0.06, 0.05, 0.07)
    return ColourPlane(side: canvas.side) { index, _, _ in
      let surface = canvas.surface[index]
      // One step of shade, as a draughtsman would put it.
      let shaded = Tone.lambert(canvas.relief[index], ambient: 0.5) < 0.72 ? Float(0.84) : 1
      let flat = surface.rgb * Tone.mix(1, shaded, surface.w)
      return Tone.mix(flat, black, min(1, canvas.line[index] * 1.15))
    }
  }
}

struct IconRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (1.3, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    // The colour of the plate is kept in the background's pixels.
    let plate = ColourName.allCases[scene.choice.one(of: 8)].drawn(&scene.choice) * 0.85
    let isRound = scene.choice.chance(0.5)
    canvas.background(depth: 0.2) { x, y in
      let (dx, dy) = (abs(x - 32), abs(y - 32))
      let away =
        isRound
        ? (dx * dx + dy * dy).squareRoot() - 31
        : (max(dx - 22, 0) * max(dx - 22, 0) + max(dy - 22, 0) * max(dy - 22, 0)).squareRoot() - 9
      return Tone.mix(plate, Colour(0.97, 0.97, 0.97), Tone.step(-0.5, 0.5, away)) * variant.tint
    }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    // What was behind the object is needed where it is cut out; the middle of the plate is always plate.
    let plate = canvas.backdropColour
    return ColourPlane(side: canvas.side) { index, _, _ in
      let surface = canvas.surface[index]
      let shape = surface.w * (1 - min(1, canvas.line[index] * 1.2))
      let ground = surface.w > 0.02 || canvas.line[index] > 0.02 ? plate[index] : surface
      return Tone.mix(ground.rgb, Colour(0.98, 0.98, 0.98), shape)
    }
  }
}

struct SilhouetteRendering: StyleRendering {
  func line(_ scene: Scene) -> (width: Float, wobble: Wobble?) { (0, nil) }

  func backdrop(_ canvas: SceneCanvas, _ scene: inout Scene, _ variant: StyleVariant) {
    let low = Colour(0.99, scene.choice.between(0.62, 0.85), scene.choice.between(0.40, 0.7))
    let high = Colour(scene.choice.between(0.55, 0.9), scene.choice.between(0.55, 0.8), 0.9)
    canvas.background(depth: 0.2) { _, y in Tone.mix(high, low, y / 64) * variant.tint }
  }

  func develop(_ canvas: SceneCanvas, _ scene: Scene, _ variant: StyleVariant) -> ColourPlane {
    let dark = Colour(0.07, 0.06, 0.10)
    let plate = canvas.backdropColour
    return ColourPlane(side: canvas.side) { index, _, _ in
      Tone.mix(plate[index].rgb, dark, canvas.surface[index].w)
    }
  }
}
