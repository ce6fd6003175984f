import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import Foundation
import Testing

/// A written checkpoint is read back by the same library; transformers reads it in `Tools/parity/pretrained.py`.
@Suite final class CheckpointWriterTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "banyan-written-\(UUID().uuidString)")
  private let tokenizer: TokenizerFiles
  private let configuration: CLIPConfiguration
  private let parameters: ParameterTree

  init() throws {
    tokenizer = try BytePairTrainer(vocabularySize: 530).train(["a small red circle", "a red circle", "a small dot"])
    configuration = CLIPConfiguration(
      text: .init(width: 8, layers: 2, heads: 2, mlpWidth: 16, activation: .gelu, epsilon: 1e-6),
      vocabularySize: tokenizer.vocabularySize, contextLength: 12,
      image: .init(width: 12, layers: 3, heads: 3, mlpWidth: 20, activation: .quickGELU, epsilon: 1e-5),
      imageSize: 16, patchSize: 4, projectionWidth: 6)
    var tree = ParameterTree()
    for (path, shape) in CLIPParameters.shapes(configuration) {
      var generator = SeededGenerator(seed: 1, label: path)
      tree[path] = try Tensor.normal(shape, deviation: 0.3, generator: &generator)
    }
    parameters = tree
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func write(
    parameters: ParameterTree? = nil, side: Int = 16, precision: CheckpointWriter.Precision = .float32
  ) throws {
    try CheckpointWriter.write(
      configuration: configuration, parameters: parameters ?? self.parameters, tokenizer: tokenizer,
      preprocessing: try ImagePreprocessor(imageSize: side), precision: precision, to: folder)
  }

  private func error(_ body: () throws -> Void) -> BanyanError? { #expect(throws: BanyanError.self) { try body() } }

  @Test func `geometry, weights, tokenizer and preprocessing come back`() throws {
    try write()
    let checkpoint = try Checkpoint(folder: folder)
    #expect(checkpoint.configuration == configuration)
    #expect(try checkpoint.model().parameters.differingPaths(from: parameters) == [])
    #expect(try TokenizerFiles(folder: folder).tokens == tokenizer.tokens)
    #expect(try CLIPTokenizer(folder: folder).contextLength == 12)
    let preprocessor = folder.appending(path: "preprocessor_config.json")
    #expect(try ImagePreprocessor(contentsOf: preprocessor) == ImagePreprocessor(imageSize: 16))
    let config: JSONValue = try JSONDocument.read(from: folder.appending(path: "config.json"))
    #expect(config[path: "text_config.eos_token_id"]?.intValue == tokenizer.vocabularySize - 1)
  }

  @Test(arguments: [CheckpointWriter.Precision.float16, .bfloat16])
  func `weights are rounded as they are stored`(precision: CheckpointWriter.Precision) throws {
    try write(precision: precision)
    let type: DType = precision == .float16 ? .float16 : .bfloat16
    let rounded = try parameters.mapTensors { try $1.to(type).to(.float32) }
    let model = try Checkpoint(folder: folder).model()
    #expect(try model.parameters.differingPaths(from: rounded) == [])
    #expect(try !model.parameters.differingPaths(from: parameters).isEmpty)
  }

  @Test func `equal parts give equal bytes and other files stay`() throws {
    try AtomicFile.write(Data("mine".utf8), to: folder.appending(path: "README.md"))
    func contents() throws -> [String: Data] {
      try write()
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      return try Dictionary(
        uniqueKeysWithValues: names.map { ($0, Data(try AtomicFile.read(folder.appending(path: $0)))) })
    }
    let first = try contents()
    #expect(first.count == 8)
    #expect(first["README.md"] == Data("mine".utf8))
    #expect(try contents() == first)
  }

  @Test func `a file that differs from the list of digests is refused`() throws {
    try write()
    let list = folder.appending(path: "SHA256SUMS")
    let fingerprint = try Checkpoint(folder: folder).fingerprint()
    #expect(try fingerprint == ContentHash.sha256(file: folder.appending(path: "model.safetensors")))
    let text = String(decoding: try AtomicFile.read(list), as: UTF8.self)
    #expect(text.split(separator: "\n").count == 6 && text.contains("\(fingerprint)  model.safetensors\n"))
    let merges = folder.appending(path: "merges.txt")
    try AtomicFile.write(try AtomicFile.read(merges) + Data("\n".utf8), to: merges)
    let changed = error { _ = try Checkpoint(folder: folder) }
    #expect(changed?.kind == .malformed && changed?.subject.hasSuffix("merges.txt") == true)
    try FileManager.default.removeItem(at: merges)
    let absent = error { _ = try Checkpoint(folder: folder) }
    #expect(absent?.kind == .missingInput && absent?.subject.hasSuffix("merges.txt") == true)
    // Of a file that nobody reads, it says nothing.
    try AtomicFile.write(Data("\(fingerprint)  ./notes.txt\n".utf8), to: list)
    #expect(try Checkpoint(folder: folder).fingerprint() == fingerprint)
    let weights = folder.appending(path: "model.safetensors")
    try AtomicFile.write(Data("\(String(repeating: "0", count: 64))  \(weights.lastPathComponent)\n".utf8), to: list)
    let checkpoint = try Checkpoint(folder: folder)
    #expect(error { _ = try checkpoint.model() }?.subject == weights.path)
    #expect(error { _ = try checkpoint.fingerprint() }?.subject == weights.path)
    // As `sha256sum -b` writes it, of one file only.
    try AtomicFile.write(Data("\(fingerprint.uppercased()) *model.safetensors\n".utf8), to: list)
    #expect(try Checkpoint(folder: folder).fingerprint() == fingerprint)
    for wrong in ["nonsense\n", "\(fingerprint)"] {
      try AtomicFile.write(Data(wrong.utf8), to: list)
      #expect(error { _ = try Checkpoint(folder: folder) }?.message.contains("expected a SHA-256") == true, "\(wrong)")
    }
  }

  @Test func `a folder that is left half done holds no weights`() throws {
    try write()
    // A folder where the configuration should go makes the writing fail after the former weights went.
    try FileManager.default.removeItem(at: folder.appending(path: "config.json"))
    try AtomicFile.write(Data(), to: folder.appending(path: "config.json/x"))
    #expect(error { try write() }?.kind == .failed)
    try FileManager.default.removeItem(at: folder.appending(path: "config.json"))
    try JSONDocument.write(JSONValue.object([:]), to: folder.appending(path: "config.json"))
    #expect(error { _ = try Checkpoint(folder: folder) }?.message.contains("no model.safetensors") == true)
  }

  @Test func `parts that do not belong together are refused before anything is written`() throws {
    var tree = parameters
    tree["image.blocks.9.norm1.weight"] = try Tensor.zeros([12])
    #expect(error { try write(parameters: tree) }?.message.contains("no such weight") == true)
    tree = parameters
    tree["text.finalNorm.bias"] = nil
    #expect(error { try write(parameters: tree) }?.subject == "text.finalNorm.bias")
    tree["text.finalNorm.bias"] = try Tensor.zeros([9])
    #expect(error { try write(parameters: tree) }?.message == "expected shape [8], found [9]")
    tree["text.finalNorm.bias"] = try Tensor.full([8], 70_000)
    #expect(error { try write(parameters: tree, precision: .float16) }?.remedy.contains("bfloat16") == true)
    tree["text.finalNorm.bias"] = try Tensor.full([8], .nan)
    #expect(error { try write(parameters: tree) }?.message.contains("NaN") == true)
    #expect(error { try write(side: 24) }?.message == "expected planes of 16×16, found 24×24")
    #expect(!FileManager.default.fileExists(atPath: folder.path))
  }
}
