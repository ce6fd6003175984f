import BanyanCLIP
import BanyanFoundation
import Foundation
import Testing

@Suite("Decoding pictures")
struct ImageDecoderTests {
  @Test("every form decodes to Pillow's pixels")
  func everyFormDecodesToPillowsPixels() throws {
    let goldens = try ImageGoldens.index.get().decoded
    #expect(goldens.count >= 55)
    for golden in goldens {
      let image = try ImageGoldens.image(golden.file)
      #expect([image.height, image.width, 3] == golden.shape, "\(golden.file)")
      let expected = try ImageGoldens.pixels("decoded.bin", offset: golden.offset, shape: golden.shape)
      let difference = try #require(largestDifference(image.pixels, expected), "\(golden.file)")
      #expect(difference <= golden.tolerance, "\(golden.file)")
    }
  }

  @Test("a header announces the pixels that the picture has")
  func headersAnnounceTheirPixels() throws {
    for golden in try ImageGoldens.index.get().decoded {
      let announced = ImageDecoder.announcedPixels(of: try ImageGoldens.bytes(golden.file))
      #expect(announced == golden.shape[0] * golden.shape[1], "\(golden.file)")
    }
    #expect(ImageDecoder.announcedPixels(of: Data()) == nil)
    #expect(ImageDecoder.announcedPixels(of: Data("GIF89a".utf8)) == nil)
    #expect(ImageDecoder.announcedPixels(of: try ImageGoldens.bytes("rgb.png").prefix(20)) == nil)
  }

  @Test("the eight orientations stand upright", arguments: 1...8)
  func orientationsStandUpright(value: Int) throws {
    let image = try ImageGoldens.image("orientation-\(value).jpg")
    #expect((image.width, image.height) == (value < 5 ? (13, 9) : (9, 13)))
  }

  @Test("an orientation that does not exist leaves the picture as it is stored")
  func unknownOrientationIsIgnored() throws {
    #expect(try ImageGoldens.image("orientation-9.jpg") == ImageGoldens.image("orientation-1.jpg"))
  }

  @Test(
    "a file that lost any part of its tail is an error that names it",
    arguments: [
      "rgb-3x200.jpg", "rgb-progressive.jpg", "cmyk.jpg", "grey.jpg", "orientation-6.jpg", "rgb.png", "one.png",
      "palette-4-interlaced.png", "orientation-6.png", "lossy.webp", "lossless.webp", "lossy-alpha.webp",
      "orientation-5.webp",
    ])
  func truncatedFilesAreErrors(file: String) throws {
    let data = try ImageGoldens.bytes(file)
    for length in 0..<data.count {
      let error = banyanError { _ = try ImageDecoder.decode(data.prefix(length), name: file) }
      #expect(error?.subject == file && error?.kind == .malformed, "\(length) of \(data.count) bytes")
    }
  }

  @Test(
    "damaged bytes give pixels or an error and never a crash",
    arguments: [
      "rgb-progressive.jpg", "orientation-3.jpg", "ycck.jpg", "palette-8.png", "lossy.webp", "exact-alpha.webp",
    ])
  func damagedFilesNeverCrash(file: String) throws {
    let data = try ImageGoldens.bytes(file)
    var generator = SeededGenerator(seed: 1, label: file)
    for _ in 0..<1000 {
      var damaged = data
      for _ in 0...generator.integer(below: 4) {
        damaged[generator.integer(below: data.count)] = UInt8(generator.integer(below: 256))
      }
      do {
        let image = try ImageDecoder.decode(damaged, name: file, pixelLimit: 1_000_000)
        #expect(image.pixels.count == image.width * image.height * 3)
      } catch {
        #expect((error as? BanyanError)?.subject == file)
      }
    }
  }

  @Test("damaged compressed data is an error and not a grey picture")
  func damagedPNGIsAnError() throws {
    var data = try ImageGoldens.bytes("rgb.png")
    data[data.count / 2] ^= 0x10
    #expect(banyanError { _ = try ImageDecoder.decode(data, name: "x.png") }?.kind == .malformed)
  }

  @Test("a header that announces too much is refused before anything is allocated")
  func bombsAreRefused() throws {
    // A PNG whose header is whole, checksum included, and announces 2³¹-1 pixels a side.
    let header: [UInt8] = [
      0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0x7F, 0xFF, 0xFF, 0xFF,
      0x7F, 0xFF, 0xFF, 0xFF, 8, 2, 0, 0, 0,
    ]
    let checksum = crc32(header[12...])
    var bomb = header + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (24 - 8 * $0)) }
    bomb += [0, 0, 0, 0, 0x49, 0x44, 0x41, 0x54, 0x35, 0xAF, 0x06, 0x1E]
    let error = banyanError { _ = try ImageDecoder.decode(Data(bomb), name: "bomb.png") }
    #expect(error?.message.contains("2147483647×2147483647") == true)

    // A JPEG whose frame header is rewritten to 65500 × 65500.
    var jpeg = try ImageGoldens.bytes("rgb-37x53.jpg")
    let frame = try #require(jpeg.firstRange(of: Data([0xFF, 0xC0])))
    for (offset, byte) in [0xFF, 0xDC, 0xFF, 0xDC].enumerated() { jpeg[frame.lowerBound + 5 + offset] = UInt8(byte) }
    let second = banyanError { _ = try ImageDecoder.decode(jpeg, name: "bomb.jpg") }
    #expect(second?.message.contains("65500×65500") == true)
  }

  @Test("a picture of a kilobyte that asks for hundreds of passes over its pixels is refused")
  func scansAreCounted() throws {
    let data = try ImageGoldens.bytes("rgb-progressive.jpg")
    // The scan with the last bits of all means: a bit for every block, whatever was there before. It ends where a table begins.
    let start = try #require(data.firstRange(of: Data([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0x10])))
    let next = try #require(data[start.upperBound...].firstRange(of: Data([0xFF, 0xC4])))
    let (scan, end) = (data[start.lowerBound..<next.lowerBound], data.suffix(2))
    func picture(scans: Int) -> Data { data.dropLast(2) + Data([Data](repeating: scan, count: scans).joined()) + end }
    let image = try ImageDecoder.decode(picture(scans: 400), name: "many.jpg")
    #expect(try image.width == ImageDecoder.decode(data, name: "few.jpg").width)
    let error = banyanError { _ = try ImageDecoder.decode(picture(scans: 600), name: "bomb.jpg") }
    #expect(error?.kind == .malformed && error?.message.contains("more scans") == true, "\(error as Any)")
  }

  @Test("the pixel limit is exact", arguments: ["rgb-37x53.jpg", "rgb-37x53.png"])
  func pixelLimitIsExact(file: String) throws {
    let data = try ImageGoldens.bytes(file)
    #expect(try ImageDecoder.decode(data, name: file, pixelLimit: 37 * 53).width == 37)
    for limit in [37 * 53 - 1, 0, -1] {
      let error = banyanError { _ = try ImageDecoder.decode(data, name: file, pixelLimit: limit) }
      #expect(error?.message.contains("37×53") == true)
    }
  }

  @Test("WebP has a pixel limit too")
  func pixelLimitHoldsForWebP() throws {
    let data = try ImageGoldens.bytes("lossy.webp")
    let error = banyanError { _ = try ImageDecoder.decode(data, name: "w", pixelLimit: 9) }
    #expect(error?.message.contains("23×31") == true)
  }

  @Test(
    "other files are refused by what they are",
    arguments: [
      ("GIF89a....", "GIF"), ("<!DOCTYPE html>", "web page"), ("hello", "other bytes"), ("", "empty"),
      ("\0\0\0\u{18}ftypheic", "HEIF"),
    ])
  func foreignFilesAreRefused(text: String, word: String) {
    let error = banyanError { _ = try ImageDecoder.decode(Data(text.utf8), name: "a/b.jpg") }
    #expect(error?.subject == "a/b.jpg")
    #expect(error?.message.contains(word) == true)
  }

  @Test("a file that is absent is a missing input")
  func absentFileIsMissing() {
    let error = banyanError { _ = try ImageDecoder.decode(contentsOf: URL(fileURLWithPath: "/nowhere/a.jpg")) }
    #expect(error?.kind == .missingInput)
  }

  private func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0xEDB8_8320 : rest >> 1 }
    }
  }
}
