import BanyanWorlds
import Testing

/// Later parts hide earlier ones, with their lines.
@Suite struct SceneCanvasTests {
  private let black = SIMD3<Float>(0, 0, 0)
  private let red = SIMD3<Float>(1, 0, 0)

  private func square(_ left: Float, _ top: Float, _ right: Float, _ bottom: Float) -> Outline {
    .polygon([SIMD2(left, top), SIMD2(right, top), SIMD2(right, bottom), SIMD2(left, bottom)])
  }

  @Test func hiddenLinesVanish() {
    let canvas = SceneCanvas(side: 64)
    canvas.setLine(width: 2)
    canvas.lay(square(10, 10, 40, 40), black)
    let hidden = 20 * 64 + 40
    #expect(canvas.line[hidden] == 1 && canvas.line[20 * 64 + 10] == 1)
    canvas.lay(square(30, 5, 60, 45), red)
    #expect(canvas.line[hidden] == 0 && canvas.line[20 * 64 + 10] == 1 && canvas.line[20 * 64 + 30] == 1)
    let (back, front) = (canvas.surface[20 * 64 + 20], canvas.surface[20 * 64 + 38])
    #expect(back == SIMD4(0, 0, 0, 0) && front == SIMD4(1, 0, 0, 0))
  }

  @Test func aGlazeLetsLinesThroughAndDrawsNone() {
    let canvas = SceneCanvas(side: 64)
    canvas.setLine(width: 2)
    canvas.lay(square(10, 10, 40, 40), black)
    canvas.lay(square(30, 5, 60, 45), red, opacity: 0.5)
    #expect(canvas.line[20 * 64 + 40] == 0.5 && canvas.line[20 * 64 + 59] == 0)
    canvas.setLine(width: 0)
    canvas.lay(square(4, 50, 20, 60), black)
    #expect((0..<64 * 64).allSatisfy { $0 < 48 * 64 || canvas.line[$0] == 0 })
  }
}
