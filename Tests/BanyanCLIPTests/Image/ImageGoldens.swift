import BanyanCLIP
import BanyanFoundation
import Foundation
import Testing

/// What Pillow and transformers made of the pictures in Tests/Goldens/image; see Tools/goldens/image.py.
struct ImageGoldens: Decodable {
  struct Decoded: Decodable, CustomTestStringConvertible {
    let file: String
    let tolerance: Int
    let offset: Int
    let shape: [Int]
    var testDescription: String { file }
  }

  struct Resized: Decodable, CustomTestStringConvertible {
    let file: String
    let filter: ResamplingFilter
    let code: Int
    let region: [Int]?
    let offset: Int
    let shape: [Int]
    var testDescription: String { "\(filter) to \(shape)" }
  }

  struct Prepared: Decodable, CustomTestStringConvertible {
    let file: String
    let settings: JSONValue
    let offset: Int
    let shape: [Int]
    var testDescription: String { "\(file) \(settings)" }
  }

  let decoded: [Decoded]
  let resized: [Resized]
  let prepared: [Prepared]

  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Goldens/image")

  static let index = Result { try JSONDocument.read(ImageGoldens.self, from: url("index.json")) }

  static func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  static func bytes(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }

  static func image(_ name: String) throws -> PixelImage { try ImageDecoder.decode(contentsOf: url(name)) }

  static func pixels(_ file: String, offset: Int, shape: [Int]) throws -> [UInt8] {
    [UInt8](try bytes(file)[offset..<offset + shape.reduce(1, *)])
  }

  static func planes(offset: Int, shape: [Int]) throws -> [Float] {
    let data = try bytes("planes.bin")
    return data.withUnsafeBytes { bytes in
      (offset..<offset + shape.reduce(1, *)).map { index in
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
      }
    }
  }
}

/// The largest distance between two lists of equal length, and `nil` where the lengths differ.
func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int? {
  a.count == b.count ? zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0 : nil
}

/// The error that `work` throws, where it throws one of Banyan's.
func banyanError(_ work: () throws -> Void) -> BanyanError? {
  do {
    try work()
    return nil
  } catch {
    return error as? BanyanError
  }
}

/// A picture whose every pixel tells where it stands.
func numbered(width: Int, height: Int) throws -> PixelImage {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width { pixels += [UInt8((y * width + x) % 256), UInt8(y % 256), UInt8(x % 256)] }
  }
  return try PixelImage(width: width, height: height, pixels: pixels)
}
