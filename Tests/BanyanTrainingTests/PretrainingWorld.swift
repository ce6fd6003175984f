import BanyanCLIP
import BanyanFoundation
import BanyanTestSupport
import BanyanTraining
import BanyanWorlds
import Foundation
import Synchronization

/// Drawn pictures of four objects in four styles with captions in a table, for pre-trainings of a second.
final class PretrainingWorld: Sendable {
  private static let made = Result { try PretrainingWorld() }

  static func open() throws -> PretrainingWorld { try made.get() }

  static let objects: [ObjectClass] = [.fish, .key, .mug, .ladder]
  static let styles: [Style] = [.chalk, .ink, .blueprint, .thermal]

  let folder: URL

  private init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("banyan-pretraining-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    atexit { if let world = try? PretrainingWorld.made.get() { try? FileManager.default.removeItem(at: world.folder) } }
    var lines = ["path,caption,split,class,style"]
    for object in Self.objects {
      for style in Self.styles {
        for number in 0..<24 {
          let name = "\(object.rawValue)-\(style.rawValue)-\(number).png"
          try PictureWorld.png(of: object, style: style, number: number, side: 16)
            .write(to: folder.appendingPathComponent(name))
          let split = number < 20 ? "train" : "validation"
          let (word, look) = (object.rawValue, style.rawValue)
          for caption in ["\(style.phrase) of a \(word)", "a picture of a \(word) in \(look)"] {
            lines.append("\(name),\(caption),\(split),\(word),\(look)")
          }
        }
      }
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: table)
  }

  var table: URL { folder.appendingPathComponent("captions.csv") }

  /// An empty place for a CLIP.
  func place() -> URL { folder.appendingPathComponent("clip-\(UUID().uuidString)") }

  /// Towers of width 16 on pictures of 16 × 16, ten steps of either phase.
  func settings(_ change: (inout PretrainingSettings) -> Void = { _ in }) -> PretrainingSettings {
    var settings = PretrainingSettings()
    settings.data = table.path
    settings.threads = 1
    settings.batchSize = 32
    settings.geometry.imageSize = 16
    settings.geometry.patchSize = 4
    settings.geometry.image = .init(width: 32, layers: 2, heads: 2)
    settings.geometry.text = .init(width: 32, layers: 2, heads: 2)
    settings.geometry.projection = 16
    settings.geometry.contextLength = 12
    settings.geometry.vocabularySize = 600
    settings.warmup.steps = 10
    settings.warmup.learningRate = 3e-3
    settings.contrastive.steps = 10
    settings.contrastive.learningRate = 3e-3
    settings.validation.every = 4
    settings.precision = .float32
    change(&settings)
    return settings
  }

  /// Trains until `steps` questions whether to stop were answered with no.
  func run(
    _ settings: PretrainingSettings, at place: URL, _ existing: RunFolder.Existing = .refuse, steps: Int = .max
  ) throws -> PretrainingRecord {
    let left = Mutex(steps)
    let observer = ExperimentObserver(
      shouldStop: {
        left.withLock { left in
          left -= 1
          return left < 0
        }
      })
    return try PretrainingRun(settings, output: place, observer: observer).run(existing)
  }

  /// The bytes of the weights in `place`.
  func weights(_ place: URL) throws -> Data {
    try Data(contentsOf: place.appendingPathComponent("model.safetensors"))
  }
}
