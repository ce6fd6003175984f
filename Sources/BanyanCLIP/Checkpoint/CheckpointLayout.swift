/// How one family of checkpoints names and lays out CLIP's weights.
///
/// For each path of ``CLIPParameters`` it says from which keys of the file the tensor is made.
enum CheckpointLayout: Sendable {
  /// `text_model.encoder.layers.N.self_attn.q_proj.weight`, as `transformers` writes.
  case huggingFace
  /// `transformer.resblocks.N.attn.in_proj_weight`, `visual.…`, as OpenAI and open_clip write.
  case openAI

  /// How a tensor is made from a file's keys.
  enum Source: Equatable {
    /// The tensor as it is.
    case key(String)
    /// A matrix stored the other way round.
    case transposed(String)
    /// Query, key and value parts joined along the first axis.
    case joined([String])

    var keys: [String] {
      switch self {
      case .key(let key), .transposed(let key): [key]
      case .joined(let keys): keys
      }
    }
  }

  /// The layout that a file's keys belong to, where it can be told.
  static func detect(_ keys: some Collection<String>) -> CheckpointLayout? {
    if keys.contains(where: { $0.hasPrefix("text_model.") || $0.hasPrefix("vision_model.") }) { return .huggingFace }
    if keys.contains(where: { $0.hasPrefix("visual.") }) { return .openAI }
    return nil
  }

  /// Keys that hold no weight and may be there or not.
  func isBuffer(_ key: String) -> Bool {
    switch self {
    case .huggingFace: key.hasSuffix("embeddings.position_ids")
    case .openAI: ["input_resolution", "context_length", "vocab_size", "attn_mask"].contains(key)
    }
  }

  /// From which keys the tensor at `path` is made.
  func source(of path: String) -> Source {
    switch self {
    case .huggingFace: huggingFaceSource(path)
    case .openAI: openAISource(path)
    }
  }

  private func huggingFaceSource(_ path: String) -> Source {
    let fixed = [
      "logitScale": "logit_scale",
      "text.tokenEmbedding.weight": "text_model.embeddings.token_embedding.weight",
      "text.positionEmbedding.weight": "text_model.embeddings.position_embedding.weight",
      "text.projection.weight": "text_projection.weight",
      "image.patchEmbedding.weight": "vision_model.embeddings.patch_embedding.weight",
      "image.classEmbedding": "vision_model.embeddings.class_embedding",
      "image.positionEmbedding.weight": "vision_model.embeddings.position_embedding.weight",
      "image.projection.weight": "visual_projection.weight",
    ]
    if let key = fixed[path] { return .key(key) }
    let parts = path.split(separator: ".").map(String.init)
    let tower = parts[0] == "text" ? "text_model" : "vision_model"
    let leaf = parts[parts.count - 1]
    switch parts[1] {
    case "finalNorm": return .key("\(tower).final_layer_norm.\(leaf)")
    // The misspelling is the file format's.
    case "preNorm": return .key("\(tower).pre_layrnorm.\(leaf)")
    case "postNorm": return .key("\(tower).post_layernorm.\(leaf)")
    default: break
    }
    let block = "\(tower).encoder.layers.\(parts[2])"
    switch parts[3...].dropLast().joined(separator: ".") {
    case "norm1": return .key("\(block).layer_norm1.\(leaf)")
    case "norm2": return .key("\(block).layer_norm2.\(leaf)")
    case "attention.qkv": return .joined(["q", "k", "v"].map { "\(block).self_attn.\($0)_proj.\(leaf)" })
    case "attention.output": return .key("\(block).self_attn.out_proj.\(leaf)")
    case "mlp.input": return .key("\(block).mlp.fc1.\(leaf)")
    default: return .key("\(block).mlp.fc2.\(leaf)")
    }
  }

  private func openAISource(_ path: String) -> Source {
    switch path {
    case "logitScale": return .key("logit_scale")
    case "text.tokenEmbedding.weight": return .key("token_embedding.weight")
    case "text.positionEmbedding.weight": return .key("positional_embedding")
    case "text.projection.weight": return .transposed("text_projection")
    case "image.patchEmbedding.weight": return .key("visual.conv1.weight")
    case "image.classEmbedding": return .key("visual.class_embedding")
    case "image.positionEmbedding.weight": return .key("visual.positional_embedding")
    case "image.projection.weight": return .transposed("visual.proj")
    default: break
    }
    let parts = path.split(separator: ".").map(String.init)
    let tower = parts[0] == "text" ? "" : "visual."
    let leaf = parts[parts.count - 1]
    switch parts[1] {
    case "finalNorm": return .key("ln_final.\(leaf)")
    case "preNorm": return .key("visual.ln_pre.\(leaf)")
    case "postNorm": return .key("visual.ln_post.\(leaf)")
    default: break
    }
    let block = "\(tower)transformer.resblocks.\(parts[2])"
    switch parts[3...].dropLast().joined(separator: ".") {
    case "norm1": return .key("\(block).ln_1.\(leaf)")
    case "norm2": return .key("\(block).ln_2.\(leaf)")
    case "attention.qkv": return .key("\(block).attn.in_proj_\(leaf)")
    case "attention.output": return .key("\(block).attn.out_proj.\(leaf)")
    case "mlp.input": return .key("\(block).mlp.c_fc.\(leaf)")
    default: return .key("\(block).mlp.c_proj.\(leaf)")
    }
  }
}
