import BanyanFoundation
import Foundation

/// A JSON file of work in progress that says what it belongs to and carries the digest of its own contents.
///
/// What a stopped run left goes into the record of the continued one, where damage on the disk would not be seen.
/// ``SealedTensors`` is the same for tensors.
struct SealedDocument<Content: Codable>: Codable {
  private var content: Content
  private var fingerprint: String

  /// Writes `content` to `url`, whole or not at all.
  ///
  /// - Parameter fingerprint: Of everything that the content depends on.
  static func write(_ content: Content, fingerprint: String, to url: URL) throws {
    try JSONDocument.write(SealedDocument(content: content, fingerprint: fingerprint), to: url, sealed: true)
  }

  /// Reads what ``write(_:fingerprint:to:)`` wrote; `nil` where there is no file.
  ///
  /// - Throws: A `BanyanError` where the file is damaged or belongs to another experiment.
  static func read(_ url: URL, fingerprint: String) throws -> Content? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let document: SealedDocument = try JSONDocument.read(from: url, sealed: true)
    guard document.fingerprint == fingerprint else {
      throw BanyanError(
        .usage, at: url.path, "belongs to another experiment",
        remedy: "Resume with the settings, model and pictures that it began with, or start over with --overwrite.")
    }
    return document.content
  }
}
