import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Testing

/// Prompts in the image tower against the goldens: at every layer, at the input only, in the middle only.
@Suite struct ImageInjectionTests {
  @Test(
    arguments: [("deep_image", [0, 1, 2]), ("shallow_image", [0]), ("inserted_image", [1])],
    ImageTower.EncodingPath.allCases)
  func `features and gradients of image prompts equal PyTorch's`(
    _ kind: (name: String, layers: [Int]), path way: ImageTower.EncodingPath
  ) throws {
    let golden = try Golden("prompts/coop")
    let clip = try TinyCLIP()
    let tokens = try kind.layers.map { try golden("image.tokens.\($0)").asParameter() }
    let injection = PromptInjection(
      layers: Dictionary(uniqueKeysWithValues: try zip(kind.layers, tokens).map { ($0, try $1.reshaped([1, 2, 48])) }))
    let raw = try clip.model.image.features(Golden("clip/clip")("pixels"), injection: injection, path: way)
    let unit = try raw.normalized()
    try agree(raw, golden(kind.name + ".features"), kind.name + ".features", within: .at(.tower))
    try agree(unit, golden(kind.name + ".unit"), kind.name + ".unit", within: .at(.tower))
    let gradients = try Gradients.of([unit], cotangents: [golden("image.cotangent")], with: tokens)
    for (layer, gradient) in zip(kind.layers, gradients) {
      let path = "\(kind.name).gradient.\(layer)"
      try agree(gradient, golden(path), path, within: .at(.gradient))
    }
  }

  @Test func `pixels and prompts of another shape are errors`() throws {
    let tower = try TinyCLIP().model.image
    let pixels = try Golden("clip/clip")("pixels")
    for shape in [[3, 32, 32], [1, 3, 32, 31], [1, 1, 32, 32], []] {
      let error = #expect(throws: BanyanError.self) { try tower.features(.zeros(shape)) }
      #expect(error?.message.contains("[batch, 3, 32, 32]") == true)
    }
    for layers in [[0: [2, 2, 48]], [0: [2, 48]], [5: [1, 2, 48]], [0: [1, 1, 2, 48]], [0: []]] {
      let tokens = try layers.mapValues { try Tensor.zeros($0) }
      #expect(throws: BanyanError.self, "\(layers)") { try tower.features(pixels, injection: .init(layers: tokens)) }
    }
  }
}
