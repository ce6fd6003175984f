import BanyanFoundation
public import Foundation

/// Things placed in the plane so that near ones are alike: tasks by their embeddings, pictures by their features.
///
/// Unlike a ``LandscapeRecord``, whose axes are directions of weights, the axes mean nothing here; neighbourhoods do.
public struct MapRecord: Codable, Sendable, Equatable {
  /// The version of the form that this version of Banyan writes.
  public static let currentSchema = 1

  /// One thing.
  public struct Place: Codable, Sendable, Equatable {
    /// What it is called.
    public var name: String
    /// What it is one of; things of one group have one colour.
    public var group: String
    /// Across.
    public var x: Double
    /// Up.
    public var y: Double

    /// Creates a place.
    public init(name: String, group: String, x: Double, y: Double) {
      (self.name, self.group, self.x, self.y) = (name, group, x, y)
    }
  }

  /// The form's version.
  public var schema = Self.currentSchema
  /// What is shown.
  public var title: String
  /// What else there is to say, such as how well neighbourhoods are kept.
  public var note: String?
  /// How far neighbourhoods in the plane are from those asked for, in nats.
  public var divergence: Double
  /// The things.
  public var places: [Place]
  /// For each thing a small picture, rows of `#` and `.` from the top; `nil` where there are none.
  public var icons: [[String]]?

  /// Creates a map.
  public init(title: String, note: String? = nil, divergence: Double, places: [Place], icons: [[String]]? = nil) {
    (self.title, self.note, self.divergence, self.places, self.icons) = (title, note, divergence, places, icons)
  }

  /// The folder inside a run's folder that holds its maps.
  public static let folderName = "maps"

  /// Reads all maps that lie in `runFolder`, by name.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where one is damaged or was written by a newer version.
  public static func readAll(_ runFolder: URL) throws -> [MapRecord] {
    let folder = runFolder.appendingPathComponent(folderName)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return try files.filter { $0.hasSuffix(".json") }.sorted().map { name in
      let url = folder.appendingPathComponent(name)
      return try JSONDocument.read(MapRecord.self, from: url).checked(url.path)
    }
  }

  func checked(_ subject: String) throws -> MapRecord {
    guard schema >= 1, schema <= Self.currentSchema else {
      throw BanyanError(
        .malformed, at: "\(subject): schema", "expected 1 to \(Self.currentSchema), found \(schema)",
        remedy: "Read it with the version of Banyan that wrote it, or a newer one.")
    }
    guard places.allSatisfy({ $0.x.isFinite && $0.y.isFinite }), icons.map({ $0.count == places.count }) ?? true else {
      throw BanyanError(.malformed, at: subject, "expected finite places, and an icon for each or none")
    }
    return self
  }
}
