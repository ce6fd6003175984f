import BanyanFoundation
public import Foundation

/// What `world.json` says: from it the same world can be drawn again, and found trees can be compared with the truth.
public struct WorldSummary: Codable, Sendable, Equatable {
  /// The version of this layout.
  public var schemaVersion = 1
  /// The preset's name.
  public var preset: WorldPreset
  /// What all pictures are drawn from.
  public var seed: UInt64
  /// Columns and rows of a picture.
  public var size: Int
  /// Pictures of every class of every task.
  public var picturesPerClass: Int
  /// The tasks with their families, styles and operations.
  public var tasks: [WorldTask]
  /// The planted tree in Newick form.
  public var plantedTree: String

  /// The summary of the world in `folder`; `nil` where there is none.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where the file does not fit.
  public static func read(folder: URL) throws -> WorldSummary? {
    let url = folder.appendingPathComponent(WorldFolder.summaryName)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    return try JSONDocument.read(WorldSummary.self, from: url)
  }
}

extension WorldFolder {
  /// The file that says what a folder of pictures was made from.
  public static let summaryName = "world.json"
  static let mapsMark = "maps.json"

  /// The contents of `world.json`.
  public var summary: WorldSummary {
    WorldSummary(
      preset: world.preset, seed: world.seed, size: side, picturesPerClass: picturesPerClass, tasks: world.tasks,
      plantedTree: world.plantedTree)
  }

  /// The contents of `tasks.json`: one plain template for all tasks, as nobody has told the model which style a task is in.
  var descriptions: JSONValue {
    let titles = world.tasks.map { task -> (String, JSONValue) in
      let words = task.name.split(separator: "-").joined(separator: " ")
      return (task.name, .object(["title": .string(words.prefix(1).uppercased() + words.dropFirst())]))
    }
    return .object([
      "templates": .array([.string("a photo of a {}.")]),
      "tasks": .object(Dictionary(uniqueKeysWithValues: titles)),
    ])
  }
}
