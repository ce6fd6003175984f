import BanyanFoundation
import BanyanWorlds
import Testing

/// A sheet holds the pictures of the world, in rows.
@Suite struct ContactSheetTests {
  /// The picture whose upper left corner is in the given cell.
  private func cell(_ sheet: ContactSheet, row: Int, column: Int, side: Int) -> [UInt8] {
    (0..<side).flatMap { line -> ArraySlice<UInt8> in
      let start = 3 * ((4 + row * (side + 4) + line) * sheet.width + 4 + column * (side + 4))
      return sheet.pixels[start..<start + 3 * side]
    }
  }

  @Test func rowsAreTasksWithTheirOwnPictures() throws {
    let world = World(.mixed, seed: 7)
    let sheet = try ContactSheet(world, columns: 8, side: 32)
    #expect(sheet.width == 4 + 8 * 36 && sheet.height == 4 + world.tasks.count * 36)
    #expect(sheet.pixels.count == sheet.width * sheet.height * 3)
    let painter = WorldPainter(side: 32)
    for (row, task) in world.tasks.enumerated() {
      let first = world.picture(task: task, label: 0, number: 0, painter: painter)
      #expect(cell(sheet, row: row, column: 0, side: 32) == first.pixels, "\(task.name)")
      // Six classes in eight columns: the seventh shows the first class's second picture.
      guard task.classes.count == 6 else { continue }
      let second = world.picture(task: task, label: 0, number: 1, painter: painter)
      #expect(cell(sheet, row: row, column: 6, side: 32) == second.pixels, "\(task.name)")
    }
    #expect(world.tasks.contains { $0.classes.count == 6 })
  }

  @Test func stylesShareTheirScenes() throws {
    let sheet = try ContactSheet(styles: [.ink, .neon], seed: 7, columns: 28, side: 32)
    let painter = WorldPainter(side: 32)
    for (row, style) in [Style.ink, .neon].enumerated() {
      let last = painter.picture(of: .glasses, style: style, seed: 7, label: "sheet 27")
      #expect(cell(sheet, row: row, column: 27, side: 32) == last.pixels)
    }
    #expect(throws: BanyanError.self) { try ContactSheet(styles: [.ink], seed: 7, columns: 0) }
    #expect(throws: BanyanError.self) { try ContactSheet(World(.mixed, seed: 7), side: 8) }
  }
}
