import BanyanCLIP
import BanyanFoundation
import Foundation
import Testing

@Suite("Encoding pictures")
struct ImageEncoderTests {
  private static let sides = [(1, 1), (1, 7), (64, 64), (33, 5), (300, 201)]

  private func samples<Sample: FixedWidthInteger>(_ count: Int, of type: Sample.Type, below limit: Int) -> [Sample] {
    var generator = SeededGenerator(seed: UInt64(count), label: "pixels")
    return (0..<count).map { _ in Sample(generator.integer(below: limit)) }
  }

  @Test func `decoding gives the pixels back, bit for bit`() throws {
    for (width, height) in Self.sides {
      let image = try PixelImage(
        width: width, height: height, pixels: samples(width * height * 3, of: UInt8.self, below: 256))
      #expect(try ImageDecoder.decode(ImageEncoder.png(image), name: "rgb") == image, "\(width)×\(height)")

      let grey = samples(width * height, of: UInt8.self, below: 256)
      let decoded = try ImageDecoder.decode(ImageEncoder.png(grey: grey, width: width, height: height), name: "grey")
      #expect((decoded.width, decoded.height) == (width, height))
      #expect(decoded.pixels == grey.flatMap { [$0, $0, $0] }, "\(width)×\(height)")
    }
  }

  @Test func `deep grey has 16 bits, which the decoder clips`() throws {
    for (width, height) in Self.sides {
      let grey = samples(width * height, of: UInt16.self, below: 600)
      let data = try ImageEncoder.png(grey16: grey, width: width, height: height)
      // Bit depth and colour type stand behind the signature, the chunk's head and the two sides.
      #expect(Array(data[24..<26]) == [16, 0])
      let decoded = try ImageDecoder.decode(data, name: "grey16")
      #expect(decoded.pixels == grey.flatMap { Array(repeating: UInt8(min(255, $0)), count: 3) }, "\(width)×\(height)")
    }
  }

  @Test func `equal pixels give equal bytes without a time`() throws {
    let image = try PixelImage(width: 40, height: 30, pixels: samples(3600, of: UInt8.self, below: 256))
    let data = try ImageEncoder.png(image)
    #expect(try ImageEncoder.png(image) == data)
    #expect(data.range(of: Data("tIME".utf8)) == nil)
  }

  @Test func `flat pictures become small`() throws {
    let image = try PixelImage(width: 64, height: 64, pixels: [UInt8](repeating: 200, count: 64 * 64 * 3))
    #expect(try ImageEncoder.png(image).count < 64 * 64 * 3 / 20)
  }

  @Test func `values that do not fit the sides are an error`() {
    let wrong: [(Int, Int, Int)] = [(2, 2, 3), (0, 4, 0), (-1, -4, 4), (.max, 2, 2), (1 << 40, 1, 1)]
    for (width, height, count) in wrong {
      let grey = [UInt8](repeating: 0, count: count)
      let error = #expect(throws: BanyanError.self) {
        try ImageEncoder.png(grey: grey, width: width, height: height)
      }
      #expect(error?.kind == .usage, "\(width)×\(height)")
      #expect(error?.message.contains("found \(count) values") == true)
    }
  }
}
