public import Foundation

/// Pictures with captions, loaded and checked: what an image and a text tower are trained on together.
///
/// Unlike a ``TaskSuite`` it has no tasks and no classes, and the files are looked for but not read.
public struct CaptionedPictures: Sendable, Equatable {
  /// The folder that relative picture paths start from.
  public let root: URL
  /// The pictures, each path once, in the order of the source (of the paths, where the source is a folder).
  public let pictures: [CaptionedPicture]
  /// The names of the attributes, in the order of the table's columns.
  public let attributes: [String]

  /// Creates a set from pictures at hand.
  public init(root: URL, pictures: [CaptionedPicture], attributes: [String] = []) {
    self.root = root
    self.pictures = pictures
    self.attributes = attributes
  }

  /// The place of a picture's file.
  public func url(of picture: CaptionedPicture) -> URL {
    SourcePath(folder: root.path).url(picture.path)
  }

  /// Loads the captioned pictures of a table, a file of JSON lines or a folder.
  ///
  /// - A CSV file with the columns `path` and `caption` and optionally `split`; every further column is an attribute.
  ///   Several rows with one path give one picture several captions.
  /// - A `.jsonl` file with `file_name` and `text` on each line, as Hugging Face's image folders have it; `split` and
  ///   every other key as above.
  /// - A folder with a `captions.csv` or a `metadata.jsonl`, or else, at any depth, pictures that each have a `.txt` of
  ///   the same name beside them, with one caption a line.
  ///
  /// Relative paths start from the file's folder. Whether the picture files exist is checked; they are not read.
  ///
  /// - Throws: A `BanyanError`: `missingInput` where the source, picture files or all pictures are absent, `malformed`
  ///   with the line where the source does not hold what its layout asks for, `usage` where a folder has two layouts.
  public static func load(_ path: String) throws -> CaptionedPictures {
    try CaptionSource(path: path).read()
  }
}
