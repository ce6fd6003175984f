import Foundation

/// A picture while a style works on it.
struct ColourPlane {
  let side: Int
  var values: [SIMD4<Float>]  // [side, side]; the last lane is unused

  /// Computes every pixel from its index and its place in units of 1/64.
  init(side: Int, _ colour: (_ index: Int, _ x: Float, _ y: Float) -> Colour) {
    self.side = side
    let unit = 64 / Float(side)
    values = [SIMD4<Float>](unsafeUninitializedCapacity: side * side) { values, count in
      for row in 0..<side {
        for column in 0..<side {
          let index = row * side + column
          values[index] = SIMD4(colour(index, (Float(column) + 0.5) * unit, (Float(row) + 0.5) * unit), 0)
        }
      }
      count = side * side
    }
  }

  subscript(index: Int) -> Colour {
    let value = values[index]
    return Colour(value.x, value.y, value.z)
  }

  /// A Gaussian blur; `spread` (its standard deviation) in 1/64 of the side.
  func blurred(_ spread: Float) -> ColourPlane {
    let sigma = spread * Float(side) / 64
    guard sigma > 0.05 else { return self }
    let reach = min(side - 1, max(1, Int((2.5 * sigma).rounded(.up))))
    var weights = (0...reach).map { exp(-Float($0 * $0) / (2 * sigma * sigma)) }
    let total = weights[0] + 2 * weights.dropFirst().reduce(0, +)
    for index in weights.indices { weights[index] /= total }
    var once = self
    pass(from: self, into: &once, weights, along: 1, across: side)
    var twice = once
    pass(from: once, into: &twice, weights, along: side, across: 1)
    return twice
  }

  private func pass(
    from source: ColourPlane, into target: inout ColourPlane, _ weights: [Float], along: Int, across: Int
  ) {
    let last = side - 1
    source.values.withUnsafeBufferPointer { source in
      target.values.withUnsafeMutableBufferPointer { target in
        for row in 0..<side {
          for column in 0..<side {
            let base = row * across
            var sum = source[base + column * along] * weights[0]
            for reach in 1..<weights.count {
              let before = source[base + max(column - reach, 0) * along]
              let after = source[base + min(column + reach, last) * along]
              sum += (before + after) * weights[reach]
            }
            target[base + column * along] = sum
          }
        }
      }
    }
  }

  /// The operations that variants share, in the order of a camera: palette, contrast, blur, grain.
  func finished(_ variant: StyleVariant, seed: UInt32) -> ColourPlane {
    var plane = self
    if variant.hue != 0 || variant.saturation != 1 || variant.contrast != 1 || variant.brightness != 1 {
      let turn = HueTurn(variant.hue, saturation: variant.saturation)
      for index in plane.values.indices {
        plane.values[index] = ((turn(plane.values[index]) - 0.5) * variant.contrast + 0.5) * variant.brightness
      }
    }
    if variant.blur > 0 { plane = plane.blurred(variant.blur) }
    if variant.noise > 0 {
      for row in 0..<side {
        for column in 0..<side {
          let grain = Texture.cell(column, row, seed ^ 0x51f1) + Texture.cell(column, row, seed ^ 0xa3b7) - 1
          plane.values[row * side + column] += variant.noise * 1.7 * grain
        }
      }
    }
    return plane
  }

  /// Red, green and blue in 0 … 255, row by row.
  func bytes() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: values.count * 3) { bytes, count in
      values.withUnsafeBufferPointer { values in
        for index in values.indices {
          let value = values[index].clamped(lowerBound: .zero, upperBound: .one) * 255 + 0.5
          bytes[3 * index] = UInt8(value.x)
          bytes[3 * index + 1] = UInt8(value.y)
          bytes[3 * index + 2] = UInt8(value.z)
        }
      }
      count = values.count * 3
    }
  }
}

/// Turns colours around the grey axis and stretches their distance from it.
struct HueTurn {
  private let rows: [SIMD4<Float>]

  init(_ turn: Float, saturation: Float) {
    let (c, s) = (cos(turn * 2 * .pi) * saturation, sin(turn * 2 * .pi) * saturation)
    // Rodrigues' rotation about (1, 1, 1)/√3, with the part across the axis scaled.
    let (third, root) = (Float(1) / 3, Float(1) / Float(3).squareRoot())
    let (same, next, back) = (third + c * (1 - third), third - c * third - s * root, third - c * third + s * root)
    rows = [SIMD4(same, next, back, 0), SIMD4(back, same, next, 0), SIMD4(next, back, same, 0)]
  }

  func callAsFunction(_ colour: SIMD4<Float>) -> SIMD4<Float> {
    SIMD4((rows[0] * colour).sum(), (rows[1] * colour).sum(), (rows[2] * colour).sum(), 0)
  }
}

/// Light and tone that several styles use.
enum Tone {
  static let light = SIMD3<Float>(-0.48, -0.62, 0.62)

  /// Lambert's share of light on a surface, with light from all around.
  static func lambert(_ relief: SIMD4<Float>, ambient: Float = 0.42) -> Float {
    let facing = relief.x * light.x + relief.y * light.y + relief.z * light.z
    return ambient + (1 - ambient) * max(0, facing) * 1.5
  }

  /// The gloss of a smooth surface.
  static func gloss(_ relief: SIMD4<Float>) -> Float {
    let facing = relief.x * -0.26 + relief.y * -0.34 + relief.z * 0.90
    guard relief.z < 0.995, facing > 0.8 else { return 0 }
    let p = facing * facing * facing * facing
    return p * p * p * p
  }

  static func luma(_ colour: Colour) -> Float { 0.30 * colour.x + 0.59 * colour.y + 0.11 * colour.z }

  static func mix(_ a: Colour, _ b: Colour, _ share: Float) -> Colour { a + (b - a) * share }

  static func mix(_ a: Float, _ b: Float, _ share: Float) -> Float { a + (b - a) * share }

  /// 0 below `low`, 1 above `high`, smooth between.
  static func step(_ low: Float, _ high: Float, _ value: Float) -> Float {
    Texture.ease(min(max((value - low) / (high - low), 0), 1))
  }
}

extension SIMD4<Float> {
  /// The first three lanes.
  var rgb: SIMD3<Float> { SIMD3(x, y, z) }
}
