import BanyanFoundation
public import Foundation

/// Training loss and test error of one task over a plane of classifiers, with the places of those that were learned.
///
/// Written by `banyan landscape` beside a run's record and drawn by `banyan report`.
///
/// Paper: Liu et al., *Hierarchical Prompt Learning for Multi-Task Learning*, CVPR 2023, supplement 1.
public struct LandscapeRecord: Codable, Sendable, Equatable {
  /// The version of the form that this version of Banyan writes.
  public static let currentSchema = 1

  /// A classifier that was learned, by its nearest point of the plane.
  public struct Place: Codable, Sendable, Equatable {
    /// What it is called, such as `w_avg` or a node of the tree.
    public var name: String
    /// Along the first axis.
    public var x: Double
    /// Along the second axis.
    public var y: Double
    /// How far from the plane it lies.
    public var distance: Double
    /// Its own mean cross-entropy on the training pictures.
    public var trainLoss: Double
    /// Its own share of test pictures that it gets wrong.
    public var testError: Double

    /// Creates a place.
    public init(name: String, x: Double, y: Double, distance: Double, trainLoss: Double, testError: Double) {
      (self.name, self.x, self.y, self.distance) = (name, x, y, distance)
      (self.trainLoss, self.testError) = (trainLoss, testError)
    }
  }

  /// The form's version.
  public var schema = Self.currentSchema
  /// The version of Banyan that wrote this.
  public var banyan: String
  /// What was typed.
  public var command: [String]
  /// The runs whose classifiers span the plane.
  public var runs: [String]
  /// The task.
  public var task: String
  /// The seed of the runs.
  public var seed: UInt64
  /// Where the columns of the grid stand, in units of the classifiers' weights.
  public var x: [Double]
  /// Where its rows stand.
  public var y: [Double]
  /// Mean cross-entropy on the training pictures, row by row.
  public var trainLoss: [[Double]]
  /// The share of test pictures that are wrong, row by row.
  public var testError: [[Double]]
  /// The three that span the plane first.
  public var places: [Place]

  /// Creates a record.
  public init(
    banyan: String, command: [String], runs: [String], task: String, seed: UInt64, x: [Double], y: [Double],
    trainLoss: [[Double]], testError: [[Double]], places: [Place]
  ) {
    (self.banyan, self.command, self.runs, self.task, self.seed) = (banyan, command, runs, task, seed)
    (self.x, self.y, self.trainLoss, self.testError, self.places) = (x, y, trainLoss, testError, places)
  }

  /// The task and what was learned for it, a line each.
  public var text: String {
    let width = places.map(\.name.count).max() ?? 4
    let lines = places.map { place in
      "  \(place.name.padding(toLength: width, withPad: " ", startingAt: 0))  training loss "
        + "\(NumberText.fixed(place.trainLoss, 3))  test error \(NumberText.percent(place.testError)) %  at "
        + "\(NumberText.fixed(place.x, 2)), \(NumberText.fixed(place.y, 2))"
        + (place.distance > 1e-6 ? ", \(NumberText.fixed(place.distance, 2)) off the plane" : "")
    }
    return (["\(TextWidth.printable(task)), seed \(seed)"] + lines).joined(separator: "\n")
  }

  /// The folder inside a run's folder that holds its landscapes.
  public static let folderName = "landscapes"

  /// Reads all landscapes that lie in `runFolder`, by name.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` where one is damaged or was written by a newer version.
  public static func readAll(_ runFolder: URL) throws -> [LandscapeRecord] {
    let folder = runFolder.appendingPathComponent(folderName)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return try files.filter { $0.hasSuffix(".json") }.sorted().map { name in
      let url = folder.appendingPathComponent(name)
      return try JSONDocument.read(LandscapeRecord.self, from: url).checked(url.path)
    }
  }

  /// The record, where its parts fit together.
  private func checked(_ subject: String) throws -> LandscapeRecord {
    guard schema >= 1, schema <= Self.currentSchema else {
      throw BanyanError(
        .malformed, at: "\(subject): schema", "expected 1 to \(Self.currentSchema), found \(schema)",
        remedy: "Read it with the version of Banyan that wrote it, or a newer one.")
    }
    let fits = [trainLoss, testError].allSatisfy { grid in
      grid.count == y.count && grid.allSatisfy { $0.count == x.count }
    }
    guard fits, x.count > 1, y.count > 1 else {
      throw BanyanError(
        .malformed, at: subject, "expected grids of \(y.count) rows of \(x.count), two of each at least",
        remedy: "Make it again with `banyan landscape`.")
    }
    return self
  }
}
