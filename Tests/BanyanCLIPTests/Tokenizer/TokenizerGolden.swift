import BanyanFoundation
import Foundation

/// The goldens of the tokenizer and where they lie.
enum TokenizerGolden {
  /// Ids by string, and the decoded text of the first ones.
  struct Expected: Decodable {
    let ids: [[Int32]]
    let decoded: [String]?
  }

  private static let checkout = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }

  static let folder = checkout.appending(path: "Tests/Goldens/tokenizer")
  /// The small vocabulary: vocab.json and merges.txt.
  static let small = folder.appending(path: "small")
  /// The same in tokenizer.json.
  static let smallJSON = folder.appending(path: "small-json")

  /// The published vocabulary, which is not part of the checkout.
  static let published: URL = {
    if let path = ProcessInfo.processInfo.environment["BANYAN_CLIP_VOCABULARY"] { return URL(filePath: path) }
    return checkout.deletingLastPathComponent().appending(path: "shared/data/clip-bpe")
  }()

  static var hasPublished: Bool {
    FileManager.default.fileExists(atPath: published.appending(path: "vocab.json").path)
  }

  static func strings() throws -> [String] {
    try JSONDocument.read(from: folder.appending(path: "strings.json"))
  }

  static func expected(_ name: String) throws -> Expected {
    try JSONDocument.read(from: folder.appending(path: name))
  }

  /// A folder with `files`, in place while `body` runs.
  static func withFolder<Result>(_ files: [String: String], _ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tokenizer-\(UUID().uuidString)")
    try AtomicFile.createFolder(folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files { try AtomicFile.write(Data(text.utf8), to: folder.appending(path: name)) }
    return try body(folder)
  }

  /// The files of the small vocabulary by name.
  static func smallFiles() throws -> [String: String] {
    var files: [String: String] = [:]
    for name in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
      files[name] = String(decoding: try AtomicFile.read(small.appending(path: name)), as: UTF8.self)
    }
    return files
  }
}
