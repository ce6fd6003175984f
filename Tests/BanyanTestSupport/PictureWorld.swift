import BanyanFoundation
public import Foundation

/// A folder of small seeded pictures, laid out as `<task>/<class>/<number>.png`.
///
/// A class is a pattern and a task is a palette, with noise on top, so that the pictures of a class are alike and a
/// classifier has something to learn. Equal seeds give equal bytes.
public struct PictureWorld: Sendable {
  /// The folder that holds the tasks.
  public let root: URL
  /// The tasks' names, in the order of their folders.
  public let tasks: [String]
  /// The classes' names, in the order of their folders.
  public let classes: [String]
  /// How many pictures a class has.
  public let perClass: Int

  /// Writes the pictures below `root`.
  public init(
    at root: URL, tasks: [String] = ["chalk", "ink", "paint"], classes: [String] = ["bars", "rings", "waves"],
    perClass: Int = 14, side: Int = 40, seed: UInt64 = 1
  ) throws {
    self.root = root
    self.tasks = tasks
    self.classes = classes
    self.perClass = perClass
    for (taskIndex, task) in tasks.enumerated() {
      for (classIndex, name) in classes.enumerated() {
        let folder = root.appendingPathComponent(task).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for number in 0..<perClass {
          let picture = PictureWorld.picture(
            task: taskIndex, pattern: classIndex, number: number, side: side, seed: seed)
          try picture.write(to: folder.appendingPathComponent("\(100 + number).png"))
        }
      }
    }
  }

  /// The place of a picture.
  public func picture(_ task: Int, _ pattern: Int, _ number: Int) -> URL {
    root.appendingPathComponent("\(tasks[task])/\(classes[pattern])/\(100 + number).png")
  }

  /// The bytes of one picture as a PNG.
  public static func picture(task: Int, pattern: Int, number: Int, side: Int = 40, seed: UInt64 = 1) -> Data {
    var generator = SeededGenerator(seed: seed, label: "\(task)/\(pattern)/\(number)")
    let phase = generator.uniform() * 6.28
    let period = 4 + 3 * generator.uniform()
    let palette: [[Double]] = [[0.9, 0.9, 0.8], [0.1, 0.2, 0.6], [0.9, 0.4, 0.1], [0.2, 0.8, 0.3]]
    let colour = palette[task % palette.count]
    var pixels: [UInt8] = []
    for y in 0..<side {
      for x in 0..<side {
        let (dx, dy) = (Double(x - side / 2), Double(y - side / 2))
        let distance =
          switch pattern % 4 {
          case 0: dx
          case 1: (dx * dx + dy * dy).squareRoot()
          case 2: dy + 3 * sin(dx / 5)
          default: dx + dy
          }
        let shade = 0.5 + 0.4 * sin(6.28 * distance / period + phase)
        for channel in 0..<3 {
          let value = shade * colour[channel] + 0.15 * generator.uniform()
          pixels.append(UInt8(max(0, min(255, value * 255))))
        }
      }
    }
    return png(pixels, width: side, height: side)
  }

  /// RGB pixels as a PNG whose deflate blocks are stored, so that no compressor is needed.
  public static func png(_ pixels: [UInt8], width: Int, height: Int) -> Data {
    var rows: [UInt8] = []
    for y in 0..<height { rows += [0] + pixels[y * width * 3..<(y + 1) * width * 3] }
    var stream: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: rows.count, by: 65535) {
      let block = rows[start..<min(rows.count, start + 65535)]
      let length = UInt16(block.count)
      stream.append(start + block.count == rows.count ? 1 : 0)
      for word in [length, ~length] { stream += [UInt8(word & 255), UInt8(word >> 8)] }
      stream += block
    }
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in rows {
      low = (low + UInt32(byte)) % 65521
      high = (high + low) % 65521
    }
    stream += bytes(high << 16 | low)
    let header = bytes(UInt32(width)) + bytes(UInt32(height)) + [8, 2, 0, 0, 0]
    let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    return Data(signature + chunk("IHDR", header) + chunk("IDAT", stream) + chunk("IEND", []))
  }

  private static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    let content = Array(name.utf8) + body
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in content {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return bytes(UInt32(body.count)) + content + bytes(~sum)
  }

  private static func bytes(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
  }
}
