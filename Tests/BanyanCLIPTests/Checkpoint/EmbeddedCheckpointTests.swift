import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// The CLIP that ships, against transformers reading the same folder.
@Suite struct EmbeddedCheckpointTests {
  private static let folder = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Sources/BanyanCLIP/Resources/embedded-clip")

  /// The pictures of the golden through Banyan's own preprocessing.
  private func pictures(_ golden: Golden) throws -> Tensor {
    let preprocessor = try ImagePreprocessor(contentsOf: Self.folder.appending(path: "preprocessor_config.json"))
    let values = try golden("pixels").to(.int64).integers()
    let size = 64 * 64 * 3
    let planes = try (0..<4).flatMap { index in
      let pixels = values[index * size..<(index + 1) * size].map { UInt8($0) }
      return try preprocessor(PixelImage(width: 64, height: 64, pixels: pixels))
    }
    return try Tensor(planes, shape: [4, 3, 64, 64])
  }

  @Test func `features and logits equal those of transformers`() throws {
    let golden = try Golden("embedded/features")
    let model = try Checkpoint(folder: Self.folder).model()
    let tokenizer = try CLIPTokenizer(folder: Self.folder)
    let captions = try #require(try Golden.json("embedded/features")["captions"]?.arrayValue).compactMap(\.stringValue)
    let image = try model.image.features(pictures(golden)).normalized()
    let text = try model.text.features(captions.map { ClassTokens(sentence: tokenizer.encode($0).ids) })
      .select(0, 0).normalized()
    let logits = try image.matmul(text.transposed()) * model.logitScale
    for (value, key) in [(image, "image"), (text, "text"), (logits, "logits_per_image")] {
      try agree(value, golden(key), "embedded \(key)", within: .at(.tower))
    }
  }

  @Test func `captions have the ids of transformers`() throws {
    let tokenizer = try CLIPTokenizer(folder: Self.folder)
    let document = try Golden.json("embedded/features")
    let captions = try #require(document["captions"]?.arrayValue).compactMap(\.stringValue)
    let ids = try #require(document["ids"]?.arrayValue).map { ($0.arrayValue ?? []).compactMap(\.intValue) }
    for (caption, expected) in zip(captions, ids) {
      #expect(tokenizer.encode(caption).ids.map(Int.init) == expected, "\(caption)")
    }
    #expect(captions.count == 6 && ids.count == 6)
  }

  @Test func `the word embedded names it, and all else is a path`() throws {
    #expect(try EmbeddedCheckpoint.resolve("some/folder").path.hasSuffix("some/folder"))
    let resolved = try EmbeddedCheckpoint.resolve(EmbeddedCheckpoint.name)
    #expect(try Checkpoint(folder: resolved).fingerprint() == Checkpoint(folder: Self.folder).fingerprint())
  }

  @Test func `it is small`() throws {
    let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: [.fileSizeKey])
    let size = try files.map { try $0.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0 }.reduce(0, +)
    #expect(size < 8_000_000 && size > 1_000_000)
  }
}
