import BanyanFoundation
import Foundation
import Testing

/// Checkpoints that are absent, damaged or do not fit together.
@Suite struct BadModelTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  /// Trains on a damaged copy of the tiny CLIP, which must fail with `code` and words that name the thing.
  private func expectRefusal(
    _ name: String, _ code: Int32, _ words: [String], _ damage: (URL) throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let model = try shop.modelCopy("model-\(name)")
    try damage(model)
    let outcome = try shop.train("bad-model/\(name)", model: model.path)
    #expect(outcome.code == code && !outcome.isSignal, "\(outcome)", sourceLocation: sourceLocation)
    for word in words {
      #expect(outcome.err.contains(word), "\(word) in: \(outcome)", sourceLocation: sourceLocation)
    }
    #expect(outcome.out.isEmpty && !shop.exists("bad-model/\(name)"), sourceLocation: sourceLocation)
  }

  private func edit(_ file: URL, _ body: (inout Data) -> Void) throws {
    var data = try Data(contentsOf: file)
    body(&data)
    try data.write(to: file)
  }

  @Test func anAbsentFolderIsNamed() throws {
    let outcome = try shop.train("bad-model/absent", model: "no-such-clip")
    #expect(outcome.code == 66 && outcome.err.contains("no-such-clip") && outcome.err.contains("--model"))
  }

  @Test(arguments: [0, 5, 8, 100, 20_000, 497_587])
  func truncatedWeightsAreNamed(_ length: Int) throws {
    try expectRefusal("cut-\(length)", 65, ["model.safetensors"]) { model in
      try edit(model.appendingPathComponent("model.safetensors")) { $0 = $0.prefix(length) }
    }
  }

  @Test func aLyingHeaderIsNamed() throws {
    try expectRefusal("liar", 65, ["model.safetensors", "header"]) { model in
      try edit(model.appendingPathComponent("model.safetensors")) { $0[7] = 0x7F }
    }
    try expectRefusal("liar2", 65, ["model.safetensors"]) { model in
      try edit(model.appendingPathComponent("model.safetensors")) { data in
        guard let place = data.firstRange(of: Data("data_offsets\":[0,".utf8)) else { return }
        data.replaceSubrange(place, with: Data("data_offsets\":[9,".utf8))
      }
    }
  }

  @Test func configurationFilesAreNamed() throws {
    try expectRefusal("words", 65, ["config.json"]) { model in
      try Data("these are words".utf8).write(to: model.appendingPathComponent("config.json"))
    }
    try expectRefusal("no-config", 66, ["config.json"]) { model in
      try FileManager.default.removeItem(at: model.appendingPathComponent("config.json"))
    }
    try expectRefusal("no-weights", 66, ["model.safetensors"]) { model in
      try FileManager.default.removeItem(at: model.appendingPathComponent("model.safetensors"))
    }
    try expectRefusal("wider", 65, ["expected"]) { model in
      try edit(model.appendingPathComponent("config.json")) { data in
        data = Data(
          String(decoding: data, as: UTF8.self).replacing("\"hidden_size\": 32", with: "\"hidden_size\": 64").utf8)
      }
    }
    try expectRefusal("negative", 65, ["patch_size"]) { model in
      try edit(model.appendingPathComponent("config.json")) { data in
        data = Data(
          String(decoding: data, as: UTF8.self).replacing("\"patch_size\": 8", with: "\"patch_size\": -8").utf8)
      }
    }
  }

  @Test func tokenizersAreNamed() throws {
    try expectRefusal("no-tokenizer", 66, ["vocab.json"]) { model in
      for name in ["vocab.json", "merges.txt"] {
        try FileManager.default.removeItem(at: model.appendingPathComponent(name))
      }
    }
    try expectRefusal("broken-merges", 65, ["merges.txt"]) { model in
      try edit(model.appendingPathComponent("merges.txt")) { $0 += Data("\none two three\n".utf8) }
    }
    try expectRefusal("large-tokenizer", 65, ["tokens", "belong together"]) { model in
      let file = model.appendingPathComponent("vocab.json")
      var words = try JSONDecoder().decode([String: Int].self, from: Data(contentsOf: file))
      for extra in 0..<50 { words["extra\(extra)</w>"] = words.count }
      try JSONEncoder().encode(words).write(to: file)
    }
  }

  @Test func aPreprocessorOfAnotherSizeIsNamed() throws {
    try expectRefusal("large-pictures", 65, ["preprocessor_config.json", "32 × 32", "64 × 64"]) { model in
      try edit(model.appendingPathComponent("preprocessor_config.json")) { data in
        data = Data(String(decoding: data, as: UTF8.self).replacing(": 32", with: ": 64").utf8)
      }
    }
  }

  @Test func aPickleIsRefusedWithTheCommandThatConvertsIt() throws {
    try expectRefusal("pickle", 65, ["pytorch_model.bin", "safetensors"]) { model in
      try FileManager.default.moveItem(
        at: model.appendingPathComponent("model.safetensors"), to: model.appendingPathComponent("pytorch_model.bin"))
    }
  }
}
