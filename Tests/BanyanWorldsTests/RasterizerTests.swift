import BanyanFoundation
import BanyanWorlds
import Foundation
import Testing

/// Coverage against areas that are known, and against counting samples.
@Suite struct RasterizerTests {
  private let side = 32
  private let rasterizer = Rasterizer(side: 32)

  /// The coverage of the whole picture; what lies outside the bounds is 0.
  private func plane(_ bounds: PixelBounds) -> [Float] {
    var values = [Float](repeating: 0, count: side * side)
    guard !bounds.isEmpty else { return values }
    for row in bounds.top..<bounds.bottom {
      for column in bounds.left..<bounds.right { values[row * side + column] = rasterizer.mask[row * side + column] }
    }
    return values
  }

  private func rectangle(_ left: Float, _ top: Float, _ right: Float, _ bottom: Float) -> [SIMD2<Float>] {
    [SIMD2(left, top), SIMD2(right, top), SIMD2(right, bottom), SIMD2(left, bottom)]
  }

  private func circle(_ centre: SIMD2<Float>, _ radius: Float) -> [SIMD2<Float>] {
    (0..<720).map { centre + SIMD2(cosine($0), cosine($0 - 180)) * radius }
  }

  /// The cosine of an angle in half degrees.
  private func cosine(_ halfDegrees: Int) -> Float { cos(Float(halfDegrees) * .pi / 360) }

  @Test(arguments: [
    SIMD4<Float>(3, 4, 9, 12), SIMD4(3.25, 4.5, 9.75, 12.125), SIMD4(7.2, 7.3, 7.6, 7.9), SIMD4(0, 0, 32, 32),
    SIMD4(-6, -3, 4.5, 40), SIMD4(29.5, 30.25, 50, 50),
  ])
  func rectanglesCoverPixelsByTheirSharedArea(corners: SIMD4<Float>) {
    let values = plane(rasterizer.fill([rectangle(corners.x, corners.y, corners.z, corners.w)]))
    for row in 0..<side {
      for column in 0..<side {
        let (x, y) = (Float(column), Float(row))
        let wide = max(0, min(x + 1, corners.z) - max(x, corners.x))
        let high = max(0, min(y + 1, corners.w) - max(y, corners.y))
        #expect(abs(values[row * side + column] - wide * high) < 1e-4, "\(column), \(row)")
      }
    }
  }

  @Test func circlesAndHolesHaveTheirArea() {
    let outer = circle(SIMD2(15.3, 16.1), 12)
    let inner = Array(circle(SIMD2(13, 17.7), 5).reversed())
    let disc = plane(rasterizer.fill([outer]))
    #expect(abs(disc.reduce(0, +) - .pi * 144) < 0.05)
    let ring = plane(rasterizer.fill([outer, inner]))
    #expect(abs(ring.reduce(0, +) - .pi * 119) < 0.05)
    #expect(ring[17 * side + 13] < 1e-4 && disc[17 * side + 13] > 0.999)
    // The hole of one call must not show in the next.
    #expect(plane(rasterizer.fill([outer])) == disc)
  }

  @Test func whatLiesOutsideCoversNothing() {
    for corners in [SIMD4<Float>(-9, 3, -1, 9), SIMD4(33, 3, 40, 9), SIMD4(3, -9, 9, -1), SIMD4(3, 33, 9, 40)] {
      let values = plane(rasterizer.fill([rectangle(corners.x, corners.y, corners.z, corners.w)]))
      #expect(values.allSatisfy { $0 == 0 }, "\(corners)")
    }
    #expect(rasterizer.fill([]).isEmpty && rasterizer.stroke([], isClosed: false, halfWidth: 2).isEmpty)
  }

  /// Triangles, among them such that cross the border: 24 × 24 samples in every pixel.
  @Test func trianglesAgreeWithCounting() {
    var generator = SeededGenerator(seed: 5, label: "triangles")
    let samples = 24
    for number in 0..<60 {
      let points = (0..<3).map { _ in
        SIMD2(Float(generator.uniform()) * 52 - 10, Float(generator.uniform()) * 52 - 10)
      }
      let values = plane(rasterizer.fill([points]))
      var worst: Float = 0
      for row in 0..<side {
        for column in 0..<side {
          var inside = 0
          for sample in 0..<samples * samples {
            let x = Float(column) + (Float(sample % samples) + 0.5) / Float(samples)
            let y = Float(row) + (Float(sample / samples) + 0.5) / Float(samples)
            let signs = (0..<3).map { index -> Bool in
              let (a, b) = (points[index], points[(index + 1) % 3])
              return (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) > 0
            }
            if signs[0] == signs[1] && signs[1] == signs[2] { inside += 1 }
          }
          worst = max(worst, abs(Float(inside) / Float(samples * samples) - values[row * side + column]))
        }
      }
      #expect(worst < 0.04, "triangle \(number): \(points)")
    }
  }

  @Test(arguments: [Float(0.2), 0.4, 1, 2.3, 4])
  func ribbonsAreAsWideAsAsked(half: Float) {
    // Across a line whose middle is a pixel's middle, the shares add up to the width.
    let upright = plane(rasterizer.stroke([SIMD2(16.5, 4), SIMD2(16.5, 28)], isClosed: false, halfWidth: half))
    let across = (0..<side).map { upright[16 * side + $0] }.reduce(0, +)
    #expect(abs(across - 2 * half) < 0.02)
    // A slanting line covers its length times its width, and its round ends.
    let length = Float(20.5 * 20.5 + 11.5 * 11.5).squareRoot()
    let slanting = plane(rasterizer.stroke([SIMD2(5.2, 7.9), SIMD2(25.7, 19.4)], isClosed: false, halfWidth: half))
    let expected = (length + (half < 0.5 ? .pi / 3 : .pi * half / 2)) * 2 * half
    #expect(abs(slanting.reduce(0, +) - expected) < 0.05 * expected)
  }

  @Test func ribbonsEndRoundAndCloseWhenAsked() {
    let half: Float = 4
    let bar = plane(rasterizer.stroke([SIMD2(10.5, 16.5), SIMD2(20.5, 16.5)], isClosed: false, halfWidth: half))
    #expect(bar[16 * side + 23] == 1 && bar[16 * side + 26] == 0)
    // The corner that a square end would have.
    #expect(bar[19 * side + 23] < 0.5 && bar[19 * side + 20] == 1)
    let corners: [SIMD2<Float>] = [SIMD2(6.5, 6.5), SIMD2(25.5, 6.5), SIMD2(25.5, 25.5), SIMD2(6.5, 25.5)]
    let open = plane(rasterizer.stroke(corners, isClosed: false, halfWidth: 1))
    let closed = plane(rasterizer.stroke(corners, isClosed: true, halfWidth: 1))
    #expect(open[16 * side + 6] == 0 && closed[16 * side + 6] == 1 && open[16 * side + 25] == 1)
  }
}
