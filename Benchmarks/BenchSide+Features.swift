import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import Foundation

extension BenchSide {
  /// Files to features, from the decoder to the projection; nothing comes from the cache.
  static func pictures(_ rig: Rig, count: Int) throws -> BenchSide {
    let folder = rig.folder.appending(path: "pictures-\(count)")
    let batch = 32
    let extractor = try FeatureExtractor(
      model: rig.model, preprocessor: ImagePreprocessor(imageSize: rig.model.configuration.imageSize),
      cache: FeatureCache(root: nil, model: "", preprocessing: "", width: rig.model.configuration.projectionWidth),
      batchSize: batch)
    let request: [String: JSONValue] = [
      "name": .string("pictures"), "folder": .string(folder.path), "batch": .integer(Int64(batch)),
      "count": .integer(Int64(count)), "precision": .string(rig.model.precision.rawValue),
    ]
    return BenchSide(
      request: request, tolerance: rig.model.precision == .fp32 ? 1e-4 : 2e-2, precision: rig.model.precision
    ) {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      let files = names.map {
        FeatureExtractor.Picture(url: folder.appending(path: $0), sha256: $0)
      }
      return try marks(extractor.features(of: files).features)
    }
  }

  /// Unit class weights as means over sentences.
  static func sentences(_ rig: Rig, classes: Int, templates count: Int) throws -> BenchSide {
    let templates = (0..<count).map {
      ["a photo of a {}.", "a dark picture of the {}.", "my {}.", "one {} seen from afar."][$0 % 4]
    }
    let names = rig.names(classes)
    let texts = try templates.map { try rig.texts(names, prompts: 0, template: $0) }
    let file = rig.folder.appending(path: "case.safetensors")
    let ids = try Tensor.stacked(texts.map(\.ids))
    let ends = try Tensor.stacked(texts.map(\.ends))
    try SafetensorsFile.write(ParameterTree(["ids": ids, "ends": ends]), to: file)
    let context = rig.context([PromptTask(name: "t0", classNames: names, templates: templates)])
    let method = try MethodCatalog.entry("zero-shot").make(.object([:]), context)
    return BenchSide(
      request: ["name": .string("sentences"), "file": .string(file.path), "batch": .integer(250)]
    ) { try marks(method.classifiers(ParameterTree())[0].weights()) }
  }
}
