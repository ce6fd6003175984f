/// Seeded noise over the plane; the same on every machine, since it is integer arithmetic and products alone.
enum Texture {
  /// A number in 0 … 1 that belongs to a cell.
  static func cell(_ x: Int, _ y: Int, _ seed: UInt32) -> Float {
    var h = UInt32(truncatingIfNeeded: x) &* 0x9e37_79b1 ^ UInt32(truncatingIfNeeded: y) &* 0x85eb_ca77 ^ seed
    h = (h ^ (h >> 15)) &* 0x2c1b_3c6d
    h = (h ^ (h >> 12)) &* 0x297a_2d39
    h ^= h >> 15
    return Float(h >> 8) * 0x1p-24
  }

  /// Noise that varies over about one unit, 0 … 1.
  static func smooth(_ x: Float, _ y: Float, _ seed: UInt32) -> Float {
    let (fx, fy) = (x.rounded(.down), y.rounded(.down))
    let (ix, iy) = (Int(fx), Int(fy))
    let (tx, ty) = (ease(x - fx), ease(y - fy))
    let upper = mix(cell(ix, iy, seed), cell(ix + 1, iy, seed), tx)
    let lower = mix(cell(ix, iy + 1, seed), cell(ix + 1, iy + 1, seed), tx)
    return mix(upper, lower, ty)
  }

  static func ease(_ t: Float) -> Float { t * t * (3 - 2 * t) }
  static func mix(_ a: Float, _ b: Float, _ t: Float) -> Float { a + (b - a) * t }
}
