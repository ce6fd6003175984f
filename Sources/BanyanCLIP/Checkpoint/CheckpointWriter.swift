public import BanyanFoundation
public import BanyanTensor
public import Foundation

/// Writes a CLIP as a Hugging Face folder, the inverse of ``Checkpoint``.
///
/// The folder holds `config.json`, `model.safetensors`, `preprocessor_config.json`, `vocab.json`, `merges.txt`,
/// `tokenizer_config.json` and the digests of all these, `SHA256SUMS`; `transformers` opens it with
/// `CLIPModel.from_pretrained` and `CLIPProcessor`. Equal values
/// give equal bytes.
public enum CheckpointWriter {
  /// How the weights are stored; arithmetic is in single precision whatever they are.
  public enum Precision: String, NamedChoice {
    /// Bit for bit as they are.
    case float32
    /// Rounded to 11 significant bits, up to 65 504.
    case float16
    /// Rounded to 8 significant bits, with the range of single precision.
    case bfloat16

    var dtype: DType {
      switch self {
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      }
    }
  }

  private static let weightsName = "model.safetensors"

  /// The files of a folder, without the list of their digests.
  private static let fileNames = [
    "config.json", weightsName, "preprocessor_config.json", "vocab.json", "merges.txt", "tokenizer_config.json",
  ]

  /// Writes a model and all that is needed to use it to `folder`, which is made where it is absent.
  ///
  /// The weights are taken away first and written last, so a folder that was left half done holds none and
  /// ``Checkpoint`` says so. Other files of the folder stay.
  ///
  /// - Parameters:
  ///   - configuration: The geometry of both towers.
  ///   - parameters: All weights, at the paths and with the shapes of ``CLIPParameters``, on any device.
  ///   - tokenizer: The vocabulary whose ids the text tower was trained on.
  ///   - preprocessing: How pictures become the planes that the image tower was trained on.
  ///   - precision: How the weights are stored.
  ///   - folder: The place.
  /// - Throws: A `BanyanError` of kind `usage` where the parts do not belong together, `failed` where a weight is not
  ///   finite in `precision` or a file cannot be written.
  public static func write(
    configuration: CLIPConfiguration, parameters: ParameterTree, tokenizer: TokenizerFiles,
    preprocessing: ImagePreprocessor, precision: Precision = .float32, to folder: URL
  ) throws {
    try check(configuration, tokenizer, preprocessing)
    try check(parameters, configuration)
    let tree = try parameters.mapTensors { path, tensor in try stored(tensor, path, precision) }
    let weights = try SafetensorsFile.encode(
      CheckpointLayout.huggingFace.tensors(of: tree), metadata: ["format": "pt"])

    let target = folder.appending(path: weightsName)
    if FileManager.default.fileExists(atPath: target.path) {
      do {
        try FileManager.default.removeItem(at: target)
      } catch {
        throw BanyanError(
          .failed, at: target.path, "the former weights cannot be taken away",
          remedy: "Choose a folder that may be written to.")
      }
    }
    try tokenizer.write(to: folder, contextLength: configuration.contextLength)
    try JSONDocument.write(preprocessing, to: folder.appending(path: "preprocessor_config.json"))
    try JSONDocument.write(
      configuration.huggingFace(tokenizer: tokenizer, precision: precision), to: folder.appending(path: "config.json"))
    var digests = [weightsName: ContentHash.sha256(weights)]
    for name in fileNames where name != weightsName {
      digests[name] = try ContentHash.sha256(file: folder.appending(path: name))
    }
    try AtomicFile.write(CheckpointDigests.text(digests), to: folder.appending(path: CheckpointDigests.fileName))
    try AtomicFile.write(weights, to: target)
  }

  private static func check(
    _ configuration: CLIPConfiguration, _ tokenizer: TokenizerFiles, _ preprocessing: ImagePreprocessor
  ) throws {
    guard tokenizer.vocabularySize == configuration.vocabularySize else {
      throw BanyanError(
        .usage, at: "tokenizer",
        "expected \(configuration.vocabularySize) tokens, found \(tokenizer.vocabularySize)",
        remedy: "Write the tokenizer that the text tower was trained with.")
    }
    let side = configuration.imageSize
    guard preprocessing.outputHeight == side, preprocessing.outputWidth == side else {
      throw BanyanError(
        .usage, at: "preprocessing",
        "expected planes of \(side)×\(side), found \(preprocessing.outputWidth)×\(preprocessing.outputHeight)")
    }
  }

  private static func check(_ parameters: ParameterTree, _ configuration: CLIPConfiguration) throws {
    let shapes = CLIPParameters.shapes(configuration)
    if let surplus = parameters.paths.first(where: { shapes[$0] == nil }) {
      throw BanyanError(
        .usage, at: surplus, "a CLIP has no such weight",
        remedy: NearNames.remedy(for: surplus, among: shapes.keys.sorted()))
    }
    for (path, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      guard let tensor = parameters[path] else {
        throw BanyanError(.usage, at: path, "expected a weight of shape \(shape), found none")
      }
      guard tensor.shape == shape else {
        throw BanyanError(.usage, at: path, "expected shape \(shape), found \(tensor.shape)")
      }
    }
  }

  private static func stored(_ tensor: Tensor, _ path: String, _ precision: Precision) throws -> Tensor {
    let rounded = try tensor.detached().to(precision.dtype, device: .cpu)
    guard try rounded.floats().allSatisfy(\.isFinite) else {
      let found = try tensor.floats().allSatisfy(\.isFinite) ? "a number beyond its range" : "NaN or infinity"
      throw BanyanError(
        .failed, at: path, "expected numbers that are finite in \(precision.rawValue), found \(found)",
        remedy: found.hasPrefix("a") ? "Write float32 or bfloat16." : "Train again with a lower learning rate.")
    }
    return rounded
  }
}
