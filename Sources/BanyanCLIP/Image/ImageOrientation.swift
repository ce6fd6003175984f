import Foundation

/// How a stored picture is to be turned to stand upright: EXIF tag 0x0112, values 1-8.
enum ImageOrientation: UInt16, CaseIterable {
  case upright = 1
  case mirrored = 2
  case halfTurn = 3
  case flipped = 4
  case transposed = 5
  case quarterTurnClockwise = 6
  case transversed = 7
  case quarterTurnCounterclockwise = 8

  /// Whether rows become columns.
  var swapsSides: Bool { rawValue >= 5 }

  /// Where the upright picture's pixels lie in a stored one of `width` × `height`: the index of the first, and the
  /// step to the next column and to the next row.
  func walk(width: Int, height: Int) -> (start: Int, column: Int, row: Int) {
    switch self {
    case .upright: (0, 1, width)
    case .mirrored: (width - 1, -1, width)
    case .halfTurn: (height * width - 1, -1, -width)
    case .flipped: ((height - 1) * width, 1, -width)
    case .transposed: (0, width, 1)
    case .quarterTurnClockwise: ((height - 1) * width, -width, 1)
    case .transversed: (height * width - 1, -width, -1)
    case .quarterTurnCounterclockwise: (width - 1, width, -1)
    }
  }

  /// The upright picture of stored values: `height · width · 3` interleaved bytes.
  func upright(_ stored: UnsafePointer<UInt8>, width: Int, height: Int) -> PixelImage {
    let size = width * height * 3
    if self == .upright {
      let pixels = [UInt8](UnsafeBufferPointer(start: stored, count: size))
      return PixelImage(checkedWidth: width, height: height, pixels: pixels)
    }
    let (newWidth, newHeight) = swapsSides ? (height, width) : (width, height)
    let walk = walk(width: width, height: height)
    let pixels = [UInt8](unsafeUninitializedCapacity: size) { target, count in
      var position = 0
      for y in 0..<newHeight {
        var source = 3 * (walk.start + y * walk.row)
        for _ in 0..<newWidth {
          for channel in 0..<3 { target[position + channel] = stored[source + channel] }
          position += 3
          source += 3 * walk.column
        }
      }
      count = size
    }
    return PixelImage(checkedWidth: newWidth, height: newHeight, pixels: pixels)
  }
}

extension ImageOrientation {
  /// The orientation in a TIFF block as EXIF has it; upright where there is none or the block is damaged, since a
  /// wrong remark about a picture is no reason to refuse it.
  init(exif block: ArraySlice<UInt8>) {
    self = Self.find(in: ByteReader(bytes: block)) ?? .upright
  }

  private static func find(in block: ByteReader) -> ImageOrientation? {
    let bigEndian: Bool
    switch (block.byte(at: 0), block.byte(at: 1)) {
    case (0x49, 0x49): bigEndian = false
    case (0x4D, 0x4D): bigEndian = true
    default: return nil
    }
    guard block.integer(at: 2, bytes: 2, bigEndian: bigEndian) == 42,
      let directory = block.integer(at: 4, bytes: 4, bigEndian: bigEndian),
      let entries = block.integer(at: directory, bytes: 2, bigEndian: bigEndian)
    else { return nil }
    for entry in 0..<entries {
      let start = directory + 2 + 12 * entry
      guard let tag = block.integer(at: start, bytes: 2, bigEndian: bigEndian) else { return nil }
      guard tag == 0x0112 else { continue }
      // One 16-bit number (type 3) stands in the first bytes of the value field; some writers use 32 bits (type 4).
      let type = block.integer(at: start + 2, bytes: 2, bigEndian: bigEndian)
      guard type == 3 || type == 4,
        let value = block.integer(at: start + 8, bytes: type == 3 ? 2 : 4, bigEndian: bigEndian)
      else { return nil }
      return UInt16(exactly: value).flatMap(ImageOrientation.init(rawValue:))
    }
    return nil
  }
}
