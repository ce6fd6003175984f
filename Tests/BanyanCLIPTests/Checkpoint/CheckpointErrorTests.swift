import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// Checkpoints that do not fit: each is an error that names the file or key and says what to do.
@Suite struct CheckpointErrorTests {
  /// A copy of tiny-clip whose weights `edit` has changed; the error of reading it.
  private func error(
    of checkpoint: String = "tiny-clip", editing edit: (inout ParameterTree) throws -> Void
  ) throws -> BanyanError {
    let copy = try CheckpointCopy(checkpoint)
    var weights = try SafetensorsFile(contentsOf: copy.weights).tree()
    try edit(&weights)
    try SafetensorsFile.write(weights, to: copy.weights)
    return try copy.error()
  }

  @Test func `missing and surplus keys are listed together`() throws {
    let error = try error { weights in
      weights["text_model.final_layer_norm.bias"] = nil
      weights["vision_model.encoder.layers.2.mlp.fc1.weight"] = nil
      weights["vision_model.encoder.layers.3.mlp.fc1.weight"] = try Tensor.zeros([2, 2])
      weights["adapter.down"] = try Tensor.zeros([1])
    }
    #expect(error.kind == .malformed)
    #expect(
      error.message == "2 keys are missing: text_model.final_layer_norm.bias, "
        + "vision_model.encoder.layers.2.mlp.fc1.weight; 2 keys have no place: adapter.down, "
        + "vision_model.encoder.layers.3.mlp.fc1.weight")
    #expect(!error.remedy.isEmpty)
  }

  @Test func `buffers may be there or not`() throws {
    let copy = try CheckpointCopy()
    var weights = try SafetensorsFile(contentsOf: copy.weights).tree()
    weights["text_model.embeddings.position_ids"] = try Tensor((0..<77).map(Int64.init), shape: [1, 77])
    try SafetensorsFile.write(weights, to: copy.weights)
    let model = try Checkpoint(folder: copy.folder).model()
    #expect(try TinyCLIP().model.parameters.differingPaths(from: model.parameters) == [])
  }

  @Test func `a wrong shape names the key and both shapes`() throws {
    let key = "text_model.encoder.layers.1.mlp.fc1.weight"
    let error = try error { $0[key] = try Tensor.zeros([32, 64]) }
    #expect(error.subject.hasSuffix("model.safetensors: \(key)"))
    #expect(error.message == "expected shape [64, 32], found [32, 64]")
    let part = "vision_model.encoder.layers.0.self_attn.k_proj.bias"
    let inner = try self.error { $0[part] = try Tensor.zeros([47]) }
    #expect(inner.subject.hasSuffix(part) && inner.message == "expected shape [48], found [47]")
    let stacked = try self.error(of: "tiny-clip-openclip") { $0["visual.proj"] = try Tensor.zeros([24, 48]) }
    #expect(stacked.subject.hasSuffix("visual.proj") && stacked.message == "expected shape [48, 24], found [24, 48]")
  }

  @Test func `integer weights are refused by key`() throws {
    let error = try error { $0["visual_projection.weight"] = try Tensor.zeros([24, 48], dtype: .int32) }
    #expect(error.subject.hasSuffix("visual_projection.weight"))
    #expect(error.message.contains("found int32"))
  }

  @Test func `a scale that is not finite is refused`() throws {
    for value in [Float.infinity, .nan, 1e6] {
      let error = try error { $0["logit_scale"] = try Tensor([value], shape: []) }
      #expect(error.subject == "logit_scale")
    }
  }

  @Test func `weights without CLIP's towers are refused`() throws {
    let error = try error { $0 = ParameterTree(["encoder.weight": try Tensor.zeros([2])]) }
    #expect(error.message.contains("encoder.weight") && error.remedy.contains("text_model"))
    let half = try self.error { weights in
      for path in weights.paths where path.hasPrefix("vision_model.") { weights[path] = nil }
    }
    #expect(half.message.contains("keys are missing: vision_model.") && half.message.contains(" more"))
    let textOnly = try self.error(of: "tiny-clip-openclip") { weights in
      for path in weights.paths where path.hasPrefix("visual.") { weights[path] = nil }
    }
    #expect(textOnly.remedy.contains("visual."))
  }

  @Test func `a pickle is refused with the command that converts it`() throws {
    for name in ["pytorch_model.bin", "ViT-B-32.pt", "open_clip.pth"] {
      let copy = try CheckpointCopy()
      try FileManager.default.moveItem(at: copy.weights, to: copy.folder.appending(path: name))
      let error = try copy.error()
      #expect(error.subject.hasSuffix(name) && error.kind == .malformed)
      #expect(error.remedy.contains("python3 -c") && error.remedy.contains("save_file") && error.remedy.contains(name))
    }
  }

  @Test func `a missing shard is named`() throws {
    let copy = try CheckpointCopy("tiny-clip-sharded")
    try FileManager.default.removeItem(at: copy.folder.appending(path: "model-00002-of-00003.safetensors"))
    let error = try copy.error()
    #expect(error.kind == .missingInput && error.subject.hasSuffix("model-00002-of-00003.safetensors"))
  }

  @Test func `a key in two shards and a shard outside the folder are refused`() throws {
    let copy = try CheckpointCopy("tiny-clip-sharded")
    let shards = (1...3).map { copy.folder.appending(path: "model-0000\($0)-of-00003.safetensors") }
    var first = try SafetensorsFile(contentsOf: shards[0]).tree()
    let key = try #require(try SafetensorsFile(contentsOf: shards[2]).entries.keys.sorted().first)
    first[key] = try Tensor.zeros([1])
    try SafetensorsFile.write(first, to: shards[0])
    let twice = try copy.error()
    #expect(twice.subject.hasSuffix(key) && twice.message.contains("another shard"))
    try copy.write(#"{"weight_map": {"logit_scale": "../model.safetensors"}}"#, "model.safetensors.index.json")
    #expect(try copy.error().message.contains("../model.safetensors"))
    try copy.write(#"{"weight_map": 3}"#, "model.safetensors.index.json")
    #expect(try copy.error().subject.contains("model.safetensors.index.json"))
    try copy.write(#"{"weight_map": {}}"#, "model.safetensors.index.json")
    #expect(try copy.error().kind == .malformed)
  }

  @Test func `a lying header and a truncated file are refused`() throws {
    let copy = try CheckpointCopy()
    let whole = try Data(contentsOf: copy.weights)
    for length in [0, 7, 8, 100, 3000, whole.count / 2, whole.count - 1] {
      try whole.prefix(length).write(to: copy.weights)
      let error = try copy.error()
      #expect(error.kind == .malformed && error.subject.contains("model.safetensors"), "\(length)")
    }
    for lie in [UInt64.max, UInt64(whole.count), 1 << 40] {
      var data = whole
      withUnsafeBytes(of: lie.littleEndian) { data.replaceSubrange(0..<8, with: $0) }
      try data.write(to: copy.weights)
      #expect(try copy.error().message.contains("header claims"), "\(lie)")
    }
  }

  @Test func `absent folders, files in place of folders and absent files are named`() throws {
    let absent = Golden.folder.appending(path: "no-such-clip")
    let error = #expect(throws: BanyanError.self) { try Checkpoint(folder: absent) }
    #expect(error?.kind == .missingInput && error?.subject == absent.path)
    let file = TinyCLIP.folder().appending(path: "config.json")
    #expect(throws: BanyanError.self) { try Checkpoint(folder: file) }
    for name in ["config.json", "model.safetensors"] {
      let copy = try CheckpointCopy()
      try FileManager.default.removeItem(at: copy.folder.appending(path: name))
      let error = try copy.error()
      #expect(error.kind == .missingInput && error.message.contains(name) && !error.remedy.isEmpty)
    }
    let copy = try CheckpointCopy()
    try FileManager.default.removeItem(at: copy.weights)
    try FileManager.default.createDirectory(at: copy.weights, withIntermediateDirectories: true)
    #expect(try copy.error().subject.hasSuffix("model.safetensors"))
  }
}
