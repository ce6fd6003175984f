/// One picture file and what is said about it.
///
/// Unlike a ``Sample`` it has no label of a task: its captions are free texts, and its attributes are words under the
/// names of a table's further columns.
public struct CaptionedPicture: Sendable, Equatable {
  /// The file's path, relative to the set's root where it lies below it, absolute otherwise.
  public var path: String
  /// The captions, at least one, each once, in the source's order.
  public var captions: [String]
  /// The split that the source gives; `nil` where it gives none.
  public var split: Split?
  /// The attributes by name (class, colour, position …); one that the source leaves empty is absent.
  public var attributes: [String: String]

  /// Creates a picture.
  public init(path: String, captions: [String], split: Split? = nil, attributes: [String: String] = [:]) {
    self.path = path
    self.captions = captions
    self.split = split
    self.attributes = attributes
  }
}
