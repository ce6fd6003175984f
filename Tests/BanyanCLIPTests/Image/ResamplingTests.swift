import BanyanCLIP
import BanyanFoundation
import Testing

@Suite("Resizing pictures")
struct ResamplingTests {
  @Test("every filter equals Pillow's bit for bit")
  func everyFilterEqualsPillow() throws {
    let goldens = try ImageGoldens.index.get().resized
    #expect(Set(goldens.map(\.filter)) == Set(ResamplingFilter.allCases))
    for golden in goldens {
      let region = golden.region.map { PixelRegion(x: $0[0], y: $0[1], width: $0[2], height: $0[3]) }
      let image = try ImageGoldens.image(golden.file).resized(
        width: golden.shape[1], height: golden.shape[0], filter: golden.filter, from: region)
      let expected = try ImageGoldens.pixels("resized.bin", offset: golden.offset, shape: golden.shape)
      #expect(largestDifference(image.pixels, expected) == 0, "\(golden.testDescription)")
      #expect(try ResamplingFilter(code: golden.code, subject: "resample") == golden.filter)
      #expect(golden.filter.code == golden.code)
    }
  }

  @Test("the same size gives the same pixels", arguments: ResamplingFilter.allCases)
  func sameSizeIsIdentity(filter: ResamplingFilter) throws {
    let image = try numbered(width: 9, height: 7)
    #expect(try image.resized(width: 9, height: 7, filter: filter) == image)
  }

  @Test("a region is as if the rest of the picture were not there", arguments: ResamplingFilter.allCases)
  func regionIsACrop(filter: ResamplingFilter) throws {
    let image = try numbered(width: 20, height: 15)
    let region = PixelRegion(x: 3, y: 4, width: 11, height: 6)
    let crop = try image.resized(width: 11, height: 6, from: region)
    #expect(crop.pixels[0..<3].elementsEqual([83, 4, 3]))
    let direct = try image.resized(width: 5, height: 16, filter: filter, from: region)
    #expect(try direct == crop.resized(width: 5, height: 16, filter: filter))
  }

  @Test("one colour stays that colour", arguments: ResamplingFilter.allCases)
  func oneColourStays(filter: ResamplingFilter) throws {
    let pixels = (0..<6 * 11).flatMap { _ in [0, 137, 255] as [UInt8] }
    let image = try PixelImage(width: 6, height: 11, pixels: pixels).resized(width: 31, height: 4, filter: filter)
    #expect(image.pixels == (0..<31 * 4).flatMap { _ in [0, 137, 255] as [UInt8] })
  }

  @Test("sizes and regions that cannot be are refused")
  func impossibleSizesAreRefused() throws {
    let image = try numbered(width: 4, height: 3)
    for (width, height) in [(0, 1), (1, -1), (1 << 17, 1), (Int.max, Int.max)] {
      #expect(banyanError { _ = try image.resized(width: width, height: height) }?.subject == "size")
    }
    let regions = [
      PixelRegion(x: 1, y: 0, width: 4, height: 3), PixelRegion(x: 0, y: 0, width: 0, height: 3),
      PixelRegion(x: -1, y: 0, width: 2, height: 2), PixelRegion(x: Int.max, y: 0, width: Int.max, height: 2),
    ]
    for region in regions {
      #expect(banyanError { _ = try image.resized(width: 2, height: 2, from: region) }?.subject == "region")
    }
    #expect(banyanError { _ = try ResamplingFilter(code: 6, subject: "resample") }?.subject == "resample")
    #expect(banyanError { _ = try PixelImage(width: 2, height: 2, pixels: [1, 2, 3]) }?.kind == .malformed)
    #expect(banyanError { _ = try PixelImage(width: Int.max, height: 8, pixels: []) }?.kind == .malformed)
    #expect(banyanError { _ = try PixelImage(width: 0, height: 0, pixels: []) }?.kind == .malformed)
  }

  @Test("mirroring twice is nothing, once turns the rows round")
  func mirroring() throws {
    let image = try numbered(width: 5, height: 3)
    #expect(image.mirrored().mirrored() == image)
    #expect(image.mirrored().pixels[0..<6].elementsEqual([4, 0, 4, 3, 0, 3]))
  }
}
