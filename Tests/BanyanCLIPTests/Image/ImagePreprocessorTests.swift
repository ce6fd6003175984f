import BanyanCLIP
import BanyanFoundation
import Foundation
import Testing

@Suite("Preprocessing pictures")
struct ImagePreprocessorTests {
  private func preprocessor(_ json: String) throws -> ImagePreprocessor {
    try JSONDocument.decode(ImagePreprocessor.self, from: Data(json.utf8), subject: "config")
  }

  @Test("planes equal those of transformers, for every kind of setting")
  func planesEqualTransformers() throws {
    for golden in try ImageGoldens.index.get().prepared {
      let preprocessor = try ImagePreprocessor(configuration: golden.settings)
      #expect([3, preprocessor.outputHeight, preprocessor.outputWidth] == golden.shape, "\(golden.testDescription)")
      let planes = preprocessor(try ImageGoldens.image(golden.file))
      let expected = try ImageGoldens.planes(offset: golden.offset, shape: golden.shape)
      try #require(planes.count == expected.count, "\(golden.testDescription)")
      // A lossless file must agree to the last bits; a lossy one may be off by one level of 255 after decoding.
      let level = (preprocessor.rescaleFactor ?? 1) / (preprocessor.standardDeviation?.min() ?? 1)
      let tolerance = golden.file.hasSuffix(".jpg") ? Float(level) * 1.01 : 1e-6
      let worst = zip(planes, expected).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
      #expect(worst <= tolerance, "\(golden.testDescription)")
    }
  }

  @Test("the shorter side is exact and the longer one is cut to whole pixels")
  func shortestEdgeRounding() throws {
    let preprocessor = try ImagePreprocessor(imageSize: 224)
    #expect(preprocessor.resizedSize(width: 640, height: 427) == (335, 224))
    #expect(preprocessor.resizedSize(width: 427, height: 640) == (224, 335))
    #expect(preprocessor.resizedSize(width: 3, height: 200) == (224, 14933))
    #expect(preprocessor.resizedSize(width: 50, height: 50) == (224, 224))
  }

  @Test("a strip a million pixels long costs only what the crop shows", arguments: [0, 3])
  func longStripIsCheap(code: Int) throws {
    let preprocessor = try preprocessor(#"{"size": 8192, "crop_size": 16, "resample": \#(code)}"#)
    let strip = try PixelImage(width: 1_000_000, height: 1, pixels: [UInt8](repeating: 255, count: 3_000_000))
    let planes = preprocessor(strip)
    #expect(planes.count == 3 * 16 * 16)
    #expect(planes.prefix(256).allSatisfy { abs($0 - Float((1 - 0.48145466) / 0.26862954)) < 1e-5 })
  }

  @Test("an empty configuration is CLIP's at 224 pixels")
  func defaultsAreCLIP() throws {
    let preprocessor = try preprocessor("{}")
    #expect(try preprocessor == ImagePreprocessor(imageSize: 224))
    #expect(preprocessor.filter == .bicubic)
    #expect(preprocessor.resizing == .shortestEdge(224))
    #expect(preprocessor.mean == [0.48145466, 0.4578275, 0.40821073])
  }

  @Test("nulls, descriptions and switched-off steps of published files are passed over")
  func publishedFilesAreRead() throws {
    let preprocessor = try preprocessor(
      #"""
      {"image_processor_type": "CLIPImageProcessorFast", "feature_extractor_type": "CLIPFeatureExtractor",
       "processor_class": "CLIPProcessor", "do_pad": null, "do_flip_channel_order": false, "data_format": "channels_first",
       "size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}, "rescale_factor": 0.00392156862745098,
       "default_to_square": false, "device": null, "do_convert_rgb": true, "resample": 3}
      """#)
    #expect(try preprocessor == ImagePreprocessor(imageSize: 224))
  }

  @Test(
    "an impossible value is refused by its key",
    arguments: [
      (#"{"size": 0}"#, "config: size"), (#"{"size": "big"}"#, "config: size"),
      (#"{"size": {"shortest_edge": 9000}}"#, "config: size.shortest_edge"),
      (#"{"size": {"shortest_edge": 4, "longest_edge": 9}}"#, "config: size"),
      (#"{"size": {"height": 4, "width": 1.5}}"#, "config: size.width"),
      (#"{"crop_size": -1}"#, "config: crop_size"), (#"{"crop_size": {"height": 4}}"#, "config: crop_size"),
      (#"{"resample": 7}"#, "config: resample"), (#"{"resample": "bicubic"}"#, "config: resample"),
      (#"{"rescale_factor": 0}"#, "config: rescale_factor"),
      (#"{"rescale_factor": 1e300}"#, "config: rescale_factor"),
      (#"{"image_mean": [0.5, 0.5]}"#, "config: image_mean"),
      (#"{"image_std": [0.5, 0, 0.5]}"#, "config: image_std"),
      (#"{"image_std": [0.5, "a", 0.5]}"#, "config: image_std"),
      (#"{"do_resize": 1}"#, "config: do_resize"), (#"{"do_pad": true}"#, "config: do_pad"),
      (#"{"do_center_crop": false}"#, "config: do_center_crop"),
      (#"{"image_processor_type": "SiglipImageProcessor"}"#, "config: image_processor_type"),
    ])
  func impossibleValuesAreRefused(json: String, subject: String) throws {
    let configuration = try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))
    let error = banyanError { _ = try ImagePreprocessor(configuration: configuration, subject: "config") }
    #expect(error?.subject == subject)
    #expect(error?.message.contains("found") == true || error?.subject.contains("do_pad") == true)
  }

  @Test("a file is read, and errors name it")
  func fileIsRead() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("banyan-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appendingPathComponent("preprocessor_config.json")
    #expect(banyanError { _ = try ImagePreprocessor(contentsOf: url) }?.kind == .missingInput)
    try AtomicFile.write(Data(#"{"size": 64, "crop_size": 64}"#.utf8), to: url)
    #expect(try ImagePreprocessor(contentsOf: url) == ImagePreprocessor(imageSize: 64))
    try AtomicFile.write(Data(#"[1]"#.utf8), to: url)
    #expect(banyanError { _ = try ImagePreprocessor(contentsOf: url) }?.subject == url.path)
    #expect(banyanError { _ = try ImagePreprocessor(imageSize: 0) } != nil)
  }

  @Test("encoding and decoding gives the same settings")
  func codableRoundTrip() throws {
    for golden in try ImageGoldens.index.get().prepared {
      let preprocessor = try ImagePreprocessor(configuration: golden.settings)
      let data = try JSONDocument.data(preprocessor, subject: "round trip")
      let again = try JSONDocument.decode(ImagePreprocessor.self, from: data, subject: "round trip")
      #expect(again == preprocessor)
      #expect(again.fingerprint == preprocessor.fingerprint)
    }
  }

  @Test("the fingerprint differs wherever a setting differs")
  func fingerprintsDiffer() throws {
    let texts = [
      "{}", #"{"size": 225}"#, #"{"size": {"height": 224, "width": 224}}"#, #"{"crop_size": 223}"#, #"{"resample": 2}"#,
      #"{"do_resize": false}"#, #"{"do_rescale": false}"#, #"{"do_normalize": false}"#, #"{"rescale_factor": 0.5}"#,
      #"{"image_mean": [0.5, 0.5, 0.5]}"#, #"{"image_std": [0.5, 0.5, 0.5]}"#,
    ]
    let fingerprints = try texts.map { try preprocessor($0).fingerprint }
    #expect(Set(fingerprints).count == texts.count)
    #expect(try preprocessor(#"{"resample": 3}"#).fingerprint == fingerprints[0])
  }
}
