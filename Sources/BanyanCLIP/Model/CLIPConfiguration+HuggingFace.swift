import BanyanFoundation

extension CLIPConfiguration {
  /// The `config.json` that `transformers` reads, and ``init(contentsOf:)`` too.
  func huggingFace(tokenizer: TokenizerFiles, precision: CheckpointWriter.Precision) -> JSONValue {
    func integer(_ value: Int) -> JSONValue { .integer(Int64(value)) }
    func members(_ tower: Transformer) -> [String: JSONValue] {
      [
        "attention_dropout": .number(0), "hidden_act": .string(tower.activation.rawValue),
        "hidden_size": integer(tower.width), "intermediate_size": integer(tower.mlpWidth),
        "layer_norm_eps": .number(tower.epsilon), "num_attention_heads": integer(tower.heads),
        "num_hidden_layers": integer(tower.layers), "projection_dim": integer(projectionWidth),
      ]
    }
    // The real end token: 2, the default, would mean "the highest id of the text".
    let textMembers: [String: JSONValue] = [
      "bos_token_id": integer(tokenizer.startToken), "eos_token_id": integer(tokenizer.endToken),
      "max_position_embeddings": integer(contextLength), "model_type": .string("clip_text_model"),
      "pad_token_id": integer(tokenizer.paddingToken), "vocab_size": integer(vocabularySize),
    ]
    let imageMembers: [String: JSONValue] = [
      "image_size": integer(imageSize), "model_type": .string("clip_vision_model"), "num_channels": .integer(3),
      "patch_size": integer(patchSize),
    ]
    return .object([
      "architectures": .array([.string("CLIPModel")]), "dtype": .string(precision.rawValue),
      "logit_scale_init_value": .number(2.6592), "model_type": .string("clip"),
      "projection_dim": integer(projectionWidth), "text_config": .object(members(text).merging(textMembers) { $1 }),
      "vision_config": .object(members(image).merging(imageMembers) { $1 }),
    ])
  }
}
