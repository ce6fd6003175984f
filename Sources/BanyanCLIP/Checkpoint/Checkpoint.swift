import BanyanFoundation
public import BanyanTensor
public import Foundation

/// A CLIP on disk: configuration, weights, tokenizer and preprocessing in one folder.
///
/// Reads Hugging Face folders (`config.json`, `model.safetensors` or shards with an index) and folders in OpenAI's or
/// open_clip's naming (`open_clip_config.json`, `open_clip_model.safetensors`), in fp32, fp16 or bf16. Every key of the
/// files is accounted for: missing and surplus keys are an error that lists them.
public struct Checkpoint: Sendable {
  /// The folder.
  public let folder: URL
  /// The geometry.
  public let configuration: CLIPConfiguration
  /// The weight files, in the order of their names.
  public let weightFiles: [URL]
  private let digests: CheckpointDigests

  /// Looks at a folder; weights are read by ``model(device:precision:)``.
  ///
  /// Files that `SHA256SUMS` in it names are compared with that, weights when they are read.
  ///
  /// - Throws: A `BanyanError` of kind `missingInput` where a file is absent, `malformed` where one does not fit.
  public init(folder: URL) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
      throw BanyanError(
        .missingInput, at: folder.path, "no such checkpoint",
        remedy: "Give a folder with config.json and model.safetensors to --model.")
    }
    guard isFolder.boolValue else {
      throw BanyanError(
        .missingInput, at: folder.path, "expected a folder, found a file",
        remedy: "Give the folder that holds config.json and model.safetensors.")
    }
    self.folder = folder
    let names = ["config.json", "open_clip_config.json"]
    let present = names.map(folder.appendingPathComponent).first { FileManager.default.fileExists(atPath: $0.path) }
    guard let file = present else {
      throw BanyanError(
        .missingInput, at: folder.path, "there is neither config.json nor open_clip_config.json",
        remedy: "Copy the checkpoint's configuration into the folder.")
    }
    let weightFiles = try Self.weightFiles(in: folder)
    digests = try CheckpointDigests(folder)
    configuration = try CLIPConfiguration(contentsOf: file)
    self.weightFiles = weightFiles
  }

  /// The SHA-256 over all weight files; equal for equal weights in equal files.
  public func fingerprint() throws -> String {
    let hashes = try weightFiles.map { try digests.digest(of: $0.lastPathComponent) }
    return hashes.count == 1 ? hashes[0] : ContentHash.sha256(hashes.joined())
  }

  /// Reads the weights, in fp32, on `device`; its frozen towers multiply in `precision`.
  ///
  /// - Throws: A `BanyanError` that lists missing and surplus keys, or names a tensor with its expected and found shape.
  public func model(device: Device = .cpu, precision: TowerPrecision = .fp32) throws -> CLIPModel {
    try CLIPModel(configuration, parameters: weights { _ in true }, precision: precision).to(device: device.checked())
  }

  /// Reads the image tower alone; all that naming pictures with saved classifiers needs.
  ///
  /// - Throws: What ``model(device:precision:)`` throws.
  public func imageTower(device: Device = .cpu, precision: TowerPrecision = .fp32) throws -> ImageTower {
    try device.checked()
    let tree = try weights { $0.hasPrefix("image.") }
    return try ImageTower(configuration, tree.mapTensors { try $1.to(device: device) }, precision: precision)
  }

  /// The weights at the paths that `isWanted` takes; every key of the files is accounted for all the same.
  private func weights(_ isWanted: (String) -> Bool) throws -> ParameterTree {
    try digests.check(weightFiles)
    let files = try weightFiles.map(SafetensorsFile.init(contentsOf:))
    var owner: [String: Int] = [:]
    for (index, file) in files.enumerated() {
      for key in file.entries.keys {
        guard owner.updateValue(index, forKey: key) == nil else {
          throw BanyanError(.malformed, at: "\(file.path): \(key)", "the key is in another shard too")
        }
      }
    }
    guard let layout = CheckpointLayout.detect(owner.keys) else {
      throw BanyanError(
        .malformed, at: folder.path,
        "expected CLIP's weights, found keys such as "
          + owner.keys.sorted().prefix(3).joined(separator: ", "),
        remedy: "Both towers are needed: text_model.… and vision_model.…, or visual.… and transformer.….")
    }
    let shapes = CLIPParameters.shapes(configuration)
    try account(for: owner.keys, layout: layout, paths: shapes.keys)
    var tree = ParameterTree()
    for (path, shape) in shapes where isWanted(path) {
      tree[path] = try read(layout.source(of: path), shape: shape) { key in
        guard let index = owner[key] else { throw BanyanError(.malformed, at: key, "the key is missing") }
        return (files[index], key)
      }
    }
    return tree
  }

  private func account(for keys: some Collection<String>, layout: CheckpointLayout, paths: some Sequence<String>) throws
  {
    let expected = Set(paths.flatMap { layout.source(of: $0).keys })
    let found = Set(keys.filter { !layout.isBuffer($0) })
    let missing = expected.subtracting(found).sorted()
    let surplus = found.subtracting(expected).sorted()
    guard missing.isEmpty, surplus.isEmpty else {
      func list(_ keys: [String]) -> String {
        keys.prefix(12).joined(separator: ", ") + (keys.count > 12 ? " and \(keys.count - 12) more" : "")
      }
      var parts: [String] = []
      if !missing.isEmpty { parts.append("\(missing.count) keys are missing: \(list(missing))") }
      if !surplus.isEmpty { parts.append("\(surplus.count) keys have no place: \(list(surplus))") }
      throw BanyanError(
        .malformed, at: folder.path, parts.joined(separator: "; "),
        remedy: "Check that configuration and weights belong together.")
    }
  }

  private func read(
    _ source: CheckpointLayout.Source, shape: [Int], locate: (String) throws -> (SafetensorsFile, String)
  ) throws -> Tensor {
    func load(_ key: String, _ wanted: [Int]) throws -> Tensor {
      let (file, name) = try locate(key)
      guard let entry = file.entries[name] else { throw BanyanError(.malformed, at: key, "the key is missing") }
      guard entry.dtype.isFloatingPoint else {
        throw BanyanError(
          .malformed, at: "\(file.path): \(key)", "expected float32, float16 or bfloat16, found \(entry.dtype.rawValue)"
        )
      }
      // A scale may be stored as a scalar or as one element.
      guard entry.shape == wanted || (wanted.isEmpty && entry.shape == [1]) else {
        throw BanyanError(
          .malformed, at: "\(file.path): \(key)", "expected shape \(wanted), found \(entry.shape)",
          remedy: "Check that configuration and weights belong together.")
      }
      let tensor = try file.tensor(name, as: .float32)
      return entry.shape == wanted ? tensor : try tensor.reshaped(wanted)
    }
    switch source {
    case .key(let key): return try load(key, shape)
    case .transposed(let key): return try load(key, shape.reversed()).transposed().clone()
    case .joined(let keys):
      let part = [shape[0] / keys.count] + shape.dropFirst()
      return try Tensor.concatenated(keys.map { try load($0, part) }, axis: 0)
    }
  }
}
