import BanyanFoundation

/// Pictures of a world side by side, for a first look at it.
///
/// Unlike ``WorldFolder``, which writes every picture as its own file, this is one picture in memory; the caller encodes
/// it.
public struct ContactSheet: Sendable, Equatable {
  /// The number of columns of pixels.
  public let width: Int
  /// The number of rows of pixels.
  public let height: Int
  /// Red, green and blue, row by row.
  public let pixels: [UInt8]  // [height, width, 3]

  /// Between pictures and around them, in pixels.
  private static let gap = 4

  /// One row per task of `world`, with `columns` of its first pictures, spread over its classes.
  ///
  /// These are the very pictures that ``WorldFolder`` writes.
  /// - Throws: A `BanyanError` of kind `usage` where `side` or `columns` is out of its range.
  public init(_ world: World, columns: Int = 12, side: Int = 64) throws {
    try self.init(rows: world.tasks.count, columns: columns, side: side) { row, column, painter in
      let task = world.tasks[row]
      let count = task.classes.count
      let label = columns <= count ? column * count / columns : column % count
      return world.picture(task: task, label: label, number: columns <= count ? 0 : column / count, painter: painter)
    }
  }

  /// One row per style, every row with the same objects in the same places, drawn from `seed`.
  ///
  /// Unlike ``init(_:columns:side:)`` it shows what a style changes and what it leaves alone.
  /// - Throws: A `BanyanError` of kind `usage` where `side` or `columns` is out of its range.
  public init(styles: [Style], seed: UInt64, columns: Int = 12, side: Int = 64) throws {
    let objects = ObjectClass.allCases
    try self.init(rows: styles.count, columns: columns, side: side) { row, column, painter in
      let object = columns <= objects.count ? column * objects.count / columns : column % objects.count
      return painter.picture(of: objects[object], style: styles[row], seed: seed, label: "sheet \(column)")
    }
  }

  private init(
    rows: Int, columns: Int, side: Int, _ picture: (_ row: Int, _ column: Int, WorldPainter) -> WorldPicture
  ) throws {
    guard (32...1024).contains(side) else {
      throw BanyanError(.usage, at: "--size \(side)", "expected 32 to 1024 pixels")
    }
    guard (1...100).contains(columns) else {
      throw BanyanError(.usage, at: "\(columns) columns", "expected 1 to 100 pictures beside each other")
    }
    let (gap, painter) = (Self.gap, WorldPainter(side: side))
    let width = gap + columns * (side + gap)
    let height = gap + rows * (side + gap)
    var pixels = [UInt8](repeating: 255, count: width * height * 3)
    for row in 0..<rows {
      for column in 0..<columns {
        let drawn = picture(row, column, painter).pixels
        let corner = (gap + row * (side + gap)) * width + gap + column * (side + gap)
        for line in 0..<side {
          let start = 3 * (corner + line * width)
          pixels.replaceSubrange(start..<start + 3 * side, with: drawn[3 * side * line..<3 * side * (line + 1)])
        }
      }
    }
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }
}
