import BanyanFoundation
public import Foundation

/// Where the files of one pre-training lie: the checkpoint's folder itself, and the record in a folder of it.
///
///     config.json, model.safetensors, vocab.json, …   the CLIP; there when the training is finished
///     SHA256SUMS                                      the digests of its files
///     README.md                                       how it was made and how good it is
///     pretraining/settings.json                       what was asked for: the differences from the defaults
///     pretraining/record.json                         what came out; there when the training is finished
///     pretraining/state.safetensors                   while it is in work
public struct PretrainingFolder: Sendable {
  /// The folder itself.
  public let url: URL

  /// A folder, whether there or not.
  public init(_ url: URL) { self.url = url }

  private var work: URL { url.appendingPathComponent("pretraining") }
  /// What was asked for.
  public var settings: URL { work.appendingPathComponent("settings.json") }
  /// What came out.
  public var record: URL { work.appendingPathComponent("record.json") }
  /// The last saved state.
  public var state: URL { work.appendingPathComponent("state.safetensors") }
  var tokenizer: URL { work.appendingPathComponent("tokenizer") }
  var readme: URL { url.appendingPathComponent("README.md") }
  var weights: URL { url.appendingPathComponent("model.safetensors") }

  /// Whether a training was begun here.
  public var holdsRun: Bool { FileManager.default.fileExists(atPath: settings.path) }
  /// Whether a training was finished here.
  public var holdsRecord: Bool { FileManager.default.fileExists(atPath: record.path) }

  /// Makes the folder ready and keeps other processes out of it until the result is released.
  ///
  /// - Throws: A `BanyanError` of kind `failed` where the folder holds something else or is in use.
  func open(_ existing: RunFolder.Existing) throws -> RunLock {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue {
      throw BanyanError(
        .failed, at: "--output \(url.path)", "expected a folder, found a file", remedy: "Choose another place.")
    }
    if existing == .refuse && holdsRun {
      throw BanyanError(
        .failed, at: "--output \(url.path)",
        "the folder holds a \(holdsRecord ? "finished" : "stopped") pre-training",
        remedy: holdsRecord
          ? "Choose another folder, or replace the CLIP with --overwrite."
          : "Go on with --resume, start over with --overwrite, or choose another folder.")
    }
    // A process that was killed at its very beginning has left a folder with nothing in it.
    let isBare = ((try? FileManager.default.contentsOfDirectory(atPath: work.path)) ?? []).allSatisfy {
      $0.hasPrefix(".")
    }
    let others = ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [])
      .filter { !$0.hasPrefix(".") && !(isBare && $0 == work.lastPathComponent) }
    if !holdsRun, !others.isEmpty {
      throw BanyanError(
        .failed, at: "--output \(url.path)", "the folder is not empty and holds no pre-training of banyan",
        remedy: "Choose an empty or a new folder.")
    }
    try AtomicFile.createFolder(url)
    return try RunLock(url.appendingPathComponent(".lock"))
  }

  /// Removes what a training writes, and nothing else; the weights first, so that half a CLIP never looks like a whole.
  func removeRun() throws {
    let names = [
      "config.json", "vocab.json", "merges.txt", "tokenizer_config.json", "preprocessor_config.json", "SHA256SUMS",
    ]
    for file in [weights, record, readme] + names.map(url.appendingPathComponent) + [work]
    where FileManager.default.fileExists(atPath: file.path) {
      do {
        try FileManager.default.removeItem(at: file)
      } catch {
        throw BanyanError(
          .failed, at: file.path, "the earlier training cannot be removed", remedy: "Choose another folder.")
      }
    }
  }

  /// Removes what a finished training needed only while it was in work, and what a killed process was writing.
  func removeWork() {
    for leftover in [state, tokenizer] { try? FileManager.default.removeItem(at: leftover) }
    for place in [url, work] {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
      where name.hasPrefix(".") && name.hasSuffix(".partial") {
        try? FileManager.default.removeItem(at: place.appendingPathComponent(name))
      }
    }
  }
}
