/// Which backbone a run stood on.
public struct ModelSummary: Codable, Sendable, Equatable {
  /// The checkpoint's folder as it was given.
  public var path: String
  /// The digest of the weights; two runs compare fairly only where it is the same.
  public var sha256: String
  /// The number of the backbone's parameters, none of them trained.
  public var parameters: Int
  /// The geometry in words, such as `ViT-B/16, 224 px`.
  public var description: String

  /// Creates a summary.
  public init(path: String, sha256: String, parameters: Int, description: String) {
    self.path = path
    self.sha256 = sha256
    self.parameters = parameters
    self.description = description
  }
}
