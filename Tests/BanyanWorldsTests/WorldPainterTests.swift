import BanyanFoundation
import BanyanWorlds
import Foundation
import Testing

/// What is true of every picture.
@Suite struct WorldPainterTests {
  private let painter = WorldPainter(side: 64)

  private func picture(
    _ object: ObjectClass, _ style: Style, seed: UInt64 = 7, _ label: String = "a", by painter: WorldPainter? = nil
  ) -> WorldPicture {
    (painter ?? self.painter).picture(of: object, style: style, seed: seed, label: label)
  }

  @Test func aPictureIsAFunctionOfSeedAndLabelWhateverWasDrawnBefore() {
    let pairs = Style.allCases.enumerated().map { ($1, ObjectClass.allCases[$0]) }
    let first = pairs.map { picture($1, $0) }
    let other = WorldPainter(side: 64)
    for (index, (style, object)) in pairs.enumerated().reversed() {
      _ = picture(.bicycle, .street, "something else", by: other)
      _ = picture(.umbrella, .neon, "something else", by: other)
      #expect(picture(object, style, by: other) == first[index], "\(style)")
      #expect(picture(object, style, seed: 8).pixels != first[index].pixels, "\(style)")
      #expect(picture(object, style, "b").pixels != first[index].pixels, "\(style)")
    }
  }

  @Test(arguments: ObjectClass.allCases) func aStyleNeverMovesTheObject(object: ObjectClass) {
    let plain = picture(object, .silhouette)
    for style in Style.allCases {
      let other = picture(object, style)
      #expect(other.mask == plain.mask && other.pixels.count == 64 * 64 * 3, "\(style)")
      #expect(other.size == plain.size && other.position == plain.position && other.colour == plain.colour)
      #expect(style == .silhouette || other.pixels != plain.pixels, "\(style)")
    }
    let variant = StyleVariant(paper: [0.9, 1, 1], lineWeight: 1.3, noise: 0.05, hue: 0.02, blur: 0.4)
    let varied = painter.picture(of: object, style: .night, variant: variant, seed: 7, label: "a")
    #expect(varied.mask == plain.mask && varied.pixels != picture(object, .night).pixels)
  }

  @Test(arguments: ObjectClass.allCases) func maskAndDepthSayWhereTheObjectIs(object: ObjectClass) {
    let shown = picture(object, .silhouette)
    var seen = 0
    for index in 0..<64 * 64 {
      let rgb = shown.pixels[3 * index..<3 * index + 3]
      if shown.mask[index] == 255 {
        seen += 1
        #expect(rgb.allSatisfy { $0 < 30 } && shown.depth[index] > 21_000, "pixel \(index)")
      } else if shown.mask[index] == 0 {
        #expect(rgb.allSatisfy { $0 > 90 } && shown.depth[index] < 14_000, "pixel \(index)")
      }
    }
    #expect(seen > 60)
  }

  @Test(arguments: ObjectClass.allCases) func objectsFitThePictureAndAreLargeEnough(object: ObjectClass) {
    var kinds = Set<[UInt8]>()
    var touching = 0
    var areas: [SizeName: [Double]] = [:]
    var middles: [PositionName: [SIMD2<Double>]] = [:]
    for number in 0..<100 {
      let drawn = picture(object, .icon, "draw \(number)")
      let area = Double(drawn.mask.map(Int.init).reduce(0, +)) / 255 / 4096
      #expect((0.01...0.65).contains(area), "draw \(number): \(area)")
      let cut = (0..<4096).filter { index in
        drawn.mask[index] > 127 && ([0, 63].contains(index % 64) || [0, 63].contains(index / 64))
      }
      #expect(cut.count <= 32, "draw \(number) is cut off at \(cut.count) pixels")
      touching += cut.isEmpty ? 0 : 1
      kinds.insert(drawn.mask)
      areas[drawn.size, default: []].append(area)
      var middle = SIMD2<Double>.zero
      for (index, share) in drawn.mask.enumerated() where share > 0 {
        middle += SIMD2(Double(index % 64), Double(index / 64)) * Double(share)
      }
      middles[drawn.position, default: []].append(middle / (area * 255 * 4096))
    }
    // A large object may reach the border, as in photographs, but few are cut and never by much.
    #expect(kinds.count == 100 && touching < 40, "\(touching)")
    func mean(_ values: [Double]?) -> Double { (values ?? []).reduce(0, +) / Double(values?.count ?? 0) }
    #expect(mean(areas[.small]) * 1.15 < mean(areas[.medium]) && mean(areas[.medium]) * 1.15 < mean(areas[.large]))
    func x(_ position: PositionName) -> Double { mean(middles[position]?.map(\.x)) }
    func y(_ position: PositionName) -> Double { mean(middles[position]?.map(\.y)) }
    #expect(x(.left) + 3 < x(.centre) && x(.centre) + 3 < x(.right))
    #expect(y(.top) + 3 < y(.centre) && y(.centre) + 3 < y(.bottom))
  }

  /// What a mask looks like wherever it stands, however large it is and whichever way it faces: 24 × 24 samples about
  /// its middle.
  private func shape(_ mask: [UInt8]) -> [Float] {
    var (total, middle, square) = (Float(0), SIMD2<Float>.zero, Float(0))
    for (index, share) in mask.enumerated() where share > 0 {
      let at = SIMD2(Float(index % 64), Float(index / 64))
      total += Float(share)
      middle += at * Float(share)
      square += (at * at).sum() * Float(share)
    }
    middle /= total
    let spread = (square / total - (middle * middle).sum()).squareRoot()
    return (0..<24 * 24).map { cell in
      let away = SIMD2(Float(cell % 24) - 11.5, Float(cell / 24) - 11.5) * (spread / 6)
      return [away.x, -away.x].map { x -> Float in
        let (column, row) = (Int((middle.x + x).rounded()), Int((middle.y + away.y).rounded()))
        return (0..<64).contains(column) && (0..<64).contains(row) ? Float(mask[row * 64 + column]) / 510 : 0
      }.reduce(0, +)
    }
  }

  /// The mean shapes of two classes lie further apart than those of two halves of one class.
  @Test func classesDifferInShape() {
    func mean(_ object: ObjectClass, _ numbers: Range<Int>) -> [Float] {
      var sum = [Float](repeating: 0, count: 24 * 24)
      for number in numbers {
        let drawn = shape(picture(object, .icon, "draw \(number)").mask)
        for index in sum.indices { sum[index] += drawn[index] / Float(numbers.count) }
      }
      return sum
    }
    func distance(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.reduce(0, +) }
    let halves = ObjectClass.allCases.map { (mean($0, 0..<50), mean($0, 50..<100)) }
    for (index, own) in halves.enumerated() {
      for (other, theirs) in halves.enumerated() where other != index {
        let names = "\(ObjectClass.allCases[index]) and \(ObjectClass.allCases[other])"
        #expect(distance(own.0, theirs.1) > 1.5 * distance(own.0, own.1), "\(names)")
      }
    }
  }
}
