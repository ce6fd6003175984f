import BanyanCLIP
import BanyanFoundation
import Dispatch
import Foundation
import Synchronization

/// The pictures of a pre-training at the towers' size: decoded once where they fit into memory, at every use otherwise.
struct PictureMemory: Sendable {
  /// The bytes that decoded pictures may take.
  static let limit = 2_000_000_000

  let side: Int
  let files: [URL]
  /// SHA-256 of the pixels where they are kept.
  let fingerprint: String?
  private let pixels: [UInt8]  // [pictures, side, side, 3], or empty
  // What each of the 256 values of a channel becomes.
  private let tables: [[Float]]

  /// Decodes `files` on all cores, as far as they fit.
  ///
  /// - Parameters:
  ///   - preprocessor: Resizes the shorter side and crops the centre.
  ///   - progress: Called with the pictures done.
  ///   - shouldStop: Asked between portions.
  /// - Throws: A `BanyanError` that names the first picture that cannot be decoded, or of kind `interrupted`.
  init(
    _ files: [URL], side: Int, preprocessor: ImagePreprocessor, limit: Int = PictureMemory.limit,
    progress: (Int) -> Void, shouldStop: () -> Bool
  ) throws {
    self.files = files
    self.side = side
    let ramp = try PixelImage(width: 256, height: 1, pixels: (0..<256).flatMap { [UInt8($0), UInt8($0), UInt8($0)] })
    let values = preprocessor.normalised(ramp)
    tables = (0..<3).map { Array(values[$0 * 256..<($0 + 1) * 256]) }
    let size = side * side * 3
    guard files.count <= limit / size else {
      (pixels, fingerprint) = ([], nil)
      return
    }
    var memory = [UInt8](repeating: 0, count: files.count * size)
    let portion = 512
    for start in stride(from: 0, to: files.count, by: portion) {
      if shouldStop() { throw BanyanError(.interrupted, at: "pictures", "stopped at picture \(start)") }
      let range = start..<min(start + portion, files.count)
      try memory.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let buffer = buffer
        try Self.concurrently(range.count) { offset in
          let index = range.lowerBound + offset
          let picture = try Self.decode(files[index], side: side)
          for (place, value) in picture.pixels.enumerated() { buffer[index * size + place] = value }
        }
      }
      progress(range.upperBound)
    }
    pixels = memory
    fingerprint = memory.withUnsafeBytes {
      ContentHash.sha256(
        Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: $0.baseAddress!), count: $0.count, deallocator: .none))
    }
  }

  /// How many pictures there are.
  var count: Int { files.count }

  /// Planes of the pictures `rows`, one after the other.  // [rows, 3, side, side]
  ///
  /// - Parameter view: Gets a picture's place in `rows`, its pixels [side, side, 3] and where its planes go; called on
  ///   several threads at once.
  func planes(
    _ rows: [Int], view: @Sendable (Int, UnsafePointer<UInt8>, UnsafeMutablePointer<Float>) -> Void
  ) throws -> [Float] {
    let size = 3 * side * side
    return try [Float](unsafeUninitializedCapacity: rows.count * size) { buffer, count in
      nonisolated(unsafe) let target = buffer
      try pixels.withUnsafeBufferPointer { kept in
        nonisolated(unsafe) let kept = kept
        try Self.concurrently(rows.count) { place in
          guard let planes = target.baseAddress else { return }
          if let base = kept.baseAddress, !kept.isEmpty {
            view(place, base + rows[place] * size, planes + place * size)
          } else {
            try Self.decode(files[rows[place]], side: side).pixels.withUnsafeBufferPointer { own in
              if let base = own.baseAddress { view(place, base, planes + place * size) }
            }
          }
        }
      }
      count = rows.count * size
    }
  }

  /// The plain planes of the pictures `rows`, as the checkpoint's preprocessing gives them.
  func planes(_ rows: [Int]) throws -> [Float] {
    let area = side * side
    return try planes(rows) { _, pixels, planes in
      for channel in 0..<3 {
        tables[channel].withUnsafeBufferPointer { table in
          for i in 0..<area { planes[channel * area + i] = table[Int(pixels[3 * i + channel])] }
        }
      }
    }
  }

  /// A picture with its shorter side at `side` and its centre cut out.
  private static func decode(_ file: URL, side: Int) throws -> PixelImage {
    let picture = try ImageDecoder.decode(contentsOf: file)
    if picture.width == side && picture.height == side { return picture }
    let short = min(picture.width, picture.height)
    let centre = PixelRegion(
      x: (picture.width - short) / 2, y: (picture.height - short) / 2, width: short, height: short)
    return try picture.resized(width: side, height: side, from: centre)
  }

  /// Runs `body` for 0 ..< `count` on all cores, in chunks; throws the failure of the lowest index.
  private static func concurrently(_ count: Int, _ body: @Sendable (Int) throws -> Void) throws {
    let failures = Mutex<[Int: any Error]>([:])
    let chunk = 16
    DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
      for index in part * chunk..<min((part + 1) * chunk, count) {
        do { try body(index) } catch { failures.withLock { $0[index] = error } }
      }
    }
    let found = failures.withLock { $0 }
    if let first = found.keys.min(), let error = found[first] { throw error }
  }
}
