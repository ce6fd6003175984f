import BanyanCLIP
import BanyanFoundation
import BanyanTestSupport
import Foundation
import Testing

/// `config.json` and `open_clip_config.json`: what they say, what they leave out, and what no model can be.
@Suite struct ConfigurationTests {
  /// tiny-clip's configuration with `value` at `path`.
  private func edited(_ path: String, _ value: JSONValue, file: String = "config.json") throws -> CheckpointCopy {
    let copy = try CheckpointCopy(file == "config.json" ? "tiny-clip" : "tiny-clip-openclip")
    let url = copy.folder.appending(path: file)
    func set(_ keys: ArraySlice<Substring>, in tree: JSONValue) -> JSONValue {
      guard let key = keys.first else { return value }
      var members = tree.objectValue ?? [:]
      members[String(key)] = set(keys.dropFirst(), in: members[String(key)] ?? .object([:]))
      return .object(members)
    }
    try JSONDocument.write(set(path.split(separator: ".")[...], in: JSONDocument.read(from: url)), to: url)
    return copy
  }

  @Test func `the geometry of the goldens is read`() throws {
    let plain = try TinyCLIP().model.configuration
    #expect(plain.text.width == 32 && plain.text.layers == 3 && plain.text.heads == 4 && plain.text.mlpWidth == 64)
    #expect(plain.image.width == 48 && plain.image.layers == 3 && plain.image.heads == 4 && plain.image.mlpWidth == 96)
    #expect(plain.imageSize == 32 && plain.patchSize == 8 && plain.patchCount == 16 && plain.projectionWidth == 24)
    #expect(plain.contextLength == 77 && plain.vocabularySize == 754 && plain.text.activation == .quickGELU)
    #expect(try TinyCLIP("tiny-clip-gelu").model.configuration.text.activation == .gelu)
  }

  @Test func `keys that a file leaves out are those of ViT-B/32`() throws {
    let copy = try CheckpointCopy()
    try copy.write(#"{"model_type": "clip", "vision_config": {"patch_size": 16}}"#, "config.json")
    let found = try CLIPConfiguration(contentsOf: copy.folder.appending(path: "config.json"))
    #expect(found.text.width == 512 && found.text.layers == 12 && found.text.heads == 8 && found.text.mlpWidth == 2048)
    #expect(found.image.width == 768 && found.image.heads == 12 && found.image.mlpWidth == 3072)
    #expect(found.imageSize == 224 && found.patchSize == 16 && found.projectionWidth == 512)
    #expect(found.vocabularySize == 49408 && found.contextLength == 77)
  }

  @Test(arguments: [
    ("text_config.hidden_size", JSONValue.integer(0)), ("text_config.hidden_size", .integer(-32)),
    ("text_config.hidden_size", .number(32.5)), ("text_config.hidden_size", .string("32")),
    ("text_config.hidden_size", .integer(.max)), ("text_config.num_attention_heads", .integer(5)),
    ("vision_config.num_attention_heads", .integer(0)), ("vision_config.patch_size", .integer(-3)),
    ("vision_config.patch_size", .integer(7)), ("vision_config.num_hidden_layers", .integer(16_000_000)),
    ("vision_config.hidden_act", .string("relu")), ("text_config.hidden_act", .integer(1)),
    ("text_config.layer_norm_eps", .number(0)), ("projection_dim", .null), ("model_type", .string("bert")),
  ])
  func `impossible values are refused by key`(_ path: String, _ value: JSONValue) throws {
    let error = try edited(path, value).error()
    #expect(error.kind == .malformed)
    #expect(error.subject.contains("config.json"))
    let key = path.split(separator: ".").last.map(String.init) ?? path
    #expect(key == "num_attention_heads" || error.subject.contains(key), "\(error)")
  }

  @Test(arguments: [
    ("model_cfg.text_cfg.mlp_ratio", JSONValue.number(1e300)), ("model_cfg.vision_cfg.mlp_ratio", .number(1e-9)),
    ("model_cfg.vision_cfg.mlp_ratio", .number(-1)), ("model_cfg.vision_cfg.head_width", .integer(0)),
    ("model_cfg.vision_cfg.layers", .array([.integer(3), .integer(4)])), ("model_cfg.embed_dim", .integer(0)),
    ("model_cfg.text_cfg.layers", .integer(1 << 23)), ("model_cfg.vision_cfg.patch_size", .integer(5)),
  ])
  func `impossible values of open_clip are refused by key`(_ path: String, _ value: JSONValue) throws {
    let error = try edited(path, value, file: "open_clip_config.json").error()
    let key = path.split(separator: ".").last.map(String.init) ?? path
    #expect(error.kind == .malformed && error.subject.contains(key), "\(error)")
  }

  @Test(arguments: ["", "{", "[]", "3", "\u{0}"])
  func `what is no configuration is refused by file`(_ text: String) throws {
    let copy = try CheckpointCopy()
    try copy.write(text, "config.json")
    let error = try copy.error()
    // `[]` and `3` are JSON without keys: then the weights do not fit ViT-B/32.
    #expect(error.kind == .malformed, "\(error)")
  }

  @Test func `a configuration of another geometry is told from the weights`() throws {
    let deeper = try edited("text_config.num_hidden_layers", .integer(4)).error()
    #expect(deeper.message.contains("text_model.encoder.layers.3."))
    let shallower = try edited("vision_config.num_hidden_layers", .integer(2)).error()
    #expect(shallower.message.contains("have no place: vision_model.encoder.layers.2."))
    let wider = try edited("projection_dim", .integer(48)).error()
    #expect(wider.message.contains("expected shape [48, ") && wider.subject.contains("projection"))
  }
}
