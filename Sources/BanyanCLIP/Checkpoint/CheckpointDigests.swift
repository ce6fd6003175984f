import BanyanFoundation
import Foundation
import Synchronization

/// The list of digests beside a checkpoint's files, in the form of `sha256sum`, so that a changed byte is an error.
///
/// Banyan writes one with every CLIP that it makes; for others, `sha256sum * > SHA256SUMS` in their folder does. Only files that are
/// read are compared with it, each once: a file of weights takes a while.
final class CheckpointDigests: Sendable {
  static let fileName = "SHA256SUMS"

  /// The small files that are read, all but the weights.
  private static let smallFiles = [
    "config.json", "open_clip_config.json", "preprocessor_config.json", "vocab.json", "merges.txt", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "model.safetensors.index.json",
    "open_clip_model.safetensors.index.json",
  ]

  private let folder: URL
  private let listed: [String: String]
  private let found = Mutex<[String: String]>([:])

  /// Reads the list of a folder, where it has one, and compares all files but the weights.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` that names the file which differs, `missingInput` where it is absent.
  init(_ folder: URL) throws {
    self.folder = folder
    let list = folder.appending(path: Self.fileName)
    guard FileManager.default.fileExists(atPath: list.path) else {
      listed = [:]
      return
    }
    var digests: [String: String] = [:]
    let text = String(decoding: try AtomicFile.read(list), as: UTF8.self)
    for (number, line) in text.split(whereSeparator: \.isNewline).enumerated() {
      // Behind the digest a space, and a space or the star of binary mode.
      let digest = line.prefix(64)
      let name = line.dropFirst(66)
      guard digest.count == 64, digest.allSatisfy(\.isHexDigit), !name.isEmpty else {
        throw BanyanError(
          .malformed, at: "\(list.path), line \(number + 1)", "expected a SHA-256, two spaces and the name of a file",
          remedy: "Make the list again with sha256sum, or remove it.")
      }
      digests[String(name.hasPrefix("./") ? name.dropFirst(2) : name)] = digest.lowercased()
    }
    listed = digests
    for name in Self.smallFiles where listed[name] != nil { _ = try digest(of: name) }
  }

  /// The digest of a file of the folder, compared with the list where that names it.
  func digest(of name: String) throws -> String {
    if let known = found.withLock({ $0[name] }) { return known }
    let file = folder.appending(path: name)
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw BanyanError(
        .missingInput, at: file.path, "\(Self.fileName) names it, and it is not there",
        remedy: "Restore the file, or make the list again with sha256sum.")
    }
    let digest = try ContentHash.sha256(file: file)
    guard digest == listed[name] ?? digest else {
      throw BanyanError(
        .malformed, at: file.path, "is not the file that \(Self.fileName) was made of",
        remedy: "Restore the file. Where it was changed on purpose, make the list again with sha256sum, or remove it.")
    }
    found.withLock { $0[name] = digest }
    return digest
  }

  /// Compares files with the list, where it names them.
  func check(_ files: [URL]) throws {
    for file in files where listed[file.lastPathComponent] != nil { _ = try digest(of: file.lastPathComponent) }
  }

  /// The list's text.
  static func text(_ digests: [String: String]) -> Data {
    Data(digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }.joined().utf8)
  }
}
