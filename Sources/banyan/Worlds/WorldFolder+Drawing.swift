import BanyanWorlds
import Foundation

extension WorldFolder {
  /// Draws the world into `folder` in place of any other, and says so on stderr.
  func draw(to folder: URL, isQuiet: Bool) throws {
    let progress = CountProgress("Drawing the world", total: pictureCount, isQuiet: isQuiet)
    try write(to: folder, replacing: true, encoders: .png, progress: { progress.report($0) })
    progress.finish()
    if !isQuiet { Terminal.note("\(pictureCount) pictures of \(world.tasks.count) tasks in \(folder.path)") }
  }
}
