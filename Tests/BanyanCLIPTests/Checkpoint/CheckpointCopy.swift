import BanyanCLIP
import BanyanFoundation
import BanyanTestSupport
import Foundation
import Testing

/// A checkpoint's folder that may be damaged; it goes with the value.
final class CheckpointCopy {
  let folder: URL

  init(_ checkpoint: String = "tiny-clip") throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "banyan-checkpoint-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: TinyCLIP.folder(checkpoint), to: folder)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The one weight file.
  var weights: URL {
    let files = ["open_clip_model.safetensors", "model.safetensors"].map { folder.appending(path: $0) }
    return FileManager.default.fileExists(atPath: files[0].path) ? files[0] : files[1]
  }

  /// Writes `text` to the file called `name`.
  func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: folder.appending(path: name))
  }

  /// What reading configuration and weights throws.
  func error(at location: SourceLocation = #_sourceLocation) throws -> BanyanError {
    try #require(
      #expect(throws: BanyanError.self, sourceLocation: location) { try Checkpoint(folder: folder).model() },
      sourceLocation: location)
  }
}
