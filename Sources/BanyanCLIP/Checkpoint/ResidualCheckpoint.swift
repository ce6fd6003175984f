import BanyanFoundation
import BanyanTensor
public import Foundation

/// A residual network on disk: a folder or a file of safetensors in torchvision's naming, as timm and the model hub give it.
///
/// Unlike ``Checkpoint`` it holds one network and no words.
public struct ResidualCheckpoint: Sendable {
  /// The file with the weights.
  public let file: URL
  /// The folder that it lies in.
  public var folder: URL { file.deletingLastPathComponent() }

  /// Looks at a path; weights are read by ``network()``.
  ///
  /// - Throws: A `BanyanError` of kind `missingInput` where there is no such file.
  public init(_ url: URL) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    let file = isFolder.boolValue ? url.appendingPathComponent("model.safetensors") : url
    guard exists, FileManager.default.fileExists(atPath: file.path) else {
      throw BanyanError(
        .missingInput, at: file.path, "no such network",
        remedy: "Give the safetensors file of a ResNet-18 or ResNet-34, such as timm/resnet34.a1_in1k, or its folder.")
    }
    self.file = file
  }

  /// SHA-256 of the weights' file.
  public func fingerprint() throws -> String { try ContentHash.sha256(file: file) }

  /// Reads the weights, in fp32.
  ///
  /// - Throws: A `BanyanError` that names the file and the key which does not fit.
  public func network() throws -> ResidualNetwork {
    do {
      return try ResidualNetwork(
        SafetensorsFile(contentsOf: file).tree().filtered { !$0.hasSuffix(".num_batches_tracked") }
          .mapTensors { try $1.to(.float32) })
    } catch let error as BanyanError where !error.subject.contains(file.path) {
      throw BanyanError(error.kind, at: "\(file.path): \(error.subject)", error.message, remedy: error.remedy)
    }
  }

  /// The preprocessing beside the weights: `preprocessor_config.json`, else what timm's `config.json` says, else torchvision's.
  public func preprocessor() throws -> ImagePreprocessor {
    let own = folder.appendingPathComponent("preprocessor_config.json")
    if FileManager.default.fileExists(atPath: own.path) { return try ImagePreprocessor(contentsOf: own) }
    let timm = folder.appendingPathComponent("config.json")
    guard FileManager.default.fileExists(atPath: timm.path),
      case .object(let members) = try JSONDocument.read(JSONValue.self, from: timm),
      case .object(let settings)? = members["pretrained_cfg"]
    else { return try Self.preprocessor(side: 224, share: 0.875, filter: "bilinear", normalisation: nil) }
    var side = 224
    if case .array(let sizes)? = settings["input_size"], let last = sizes.last?.intValue { side = last }
    return try Self.preprocessor(
      side: side, share: settings["crop_pct"]?.doubleValue ?? 0.875,
      filter: settings["interpolation"]?.stringValue ?? "bilinear",
      normalisation: settings["mean"].flatMap { mean in settings["std"].map { (mean, $0) } })
  }

  /// The means of ImageNet's training pictures and their deviations, as torchvision has them.
  private static let imageNet: (JSONValue, JSONValue) = (
    .array([0.485, 0.456, 0.406].map(JSONValue.number)), .array([0.229, 0.224, 0.225].map(JSONValue.number))
  )

  private static func preprocessor(
    side: Int, share: Double, filter: String, normalisation: (mean: JSONValue, deviation: JSONValue)?
  ) throws -> ImagePreprocessor {
    guard (1...8192).contains(side), share > 0, share <= 1 else {
      throw BanyanError(
        .malformed, at: "config.json: pretrained_cfg",
        "expected an input of 1 to 8192 pixels and a crop_pct up to 1, found \(side) and \(share)")
    }
    // Pillow's numbers for its kernels.
    let kernels: [String: Int64] = ["bilinear": 2, "bicubic": 3]
    let (mean, deviation) = normalisation ?? imageNet
    return try ImagePreprocessor(
      configuration: .object([
        "size": .object(["shortest_edge": .integer(Int64(Double(side) / share))]),
        "crop_size": .integer(Int64(side)), "resample": .integer(kernels[filter] ?? 2), "image_mean": mean,
        "image_std": deviation,
      ]))
  }
}
