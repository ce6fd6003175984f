import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// Towers that multiply in bfloat16.
@Suite struct TowerPrecisionTests {
  private func bf16(_ clip: TinyCLIP) throws -> CLIPModel {
    try CLIPModel(clip.model.configuration, parameters: clip.model.parameters, precision: .bf16)
  }

  private func pixels(_ clip: TinyCLIP) throws -> Tensor {
    let side = clip.model.configuration.imageSize
    return try clip.normal([5, 3, side, side], seed: 7)
  }

  private func distance(_ a: Tensor, _ b: Tensor) throws -> Double {
    try ((a - b).squared().sum().item() / b.squared().sum().item()).squareRoot()
  }

  private func rounded(_ x: Tensor) throws -> Tensor { try x.to(.bfloat16).to(.float32) }

  /// The image tower out of single ops that round what they multiply, with the formulas written anew.
  private func reference(_ clip: TinyCLIP, _ pixels: Tensor) throws -> Tensor {
    let (tree, tower) = (clip.model.parameters, clip.model.configuration.image)
    func linear(_ x: Tensor, _ path: String) throws -> Tensor {
      try rounded(x).linear(rounded(tree.require("\(path).weight")), tree.require("\(path).bias"))
    }
    func norm(_ x: Tensor, _ path: String) throws -> Tensor {
      try x.layerNorm(tree.require("\(path).weight"), tree.require("\(path).bias"), epsilon: tower.epsilon)
    }
    var x = try clip.model.image.embed(pixels)
    let (rows, tokens, d) = (x.shape[0], x.shape[1], tower.width / tower.heads)
    for layer in 0..<tower.layers {
      let path = "image.blocks.\(layer)"
      let parts = try linear(norm(x, "\(path).norm1"), "\(path).attention.qkv")
        .reshaped([rows, tokens, 3, tower.heads, d]).permuted([2, 0, 3, 1, 4])
      let mixed = try parts.select(0, 0).attention(keys: parts.select(0, 1), values: parts.select(0, 2), causal: false)
        .permuted([0, 2, 1, 3]).reshaped([rows, tokens, tower.width])
      x = try x + linear(mixed, "\(path).attention.output")
      let inner = try linear(norm(x, "\(path).norm2"), "\(path).mlp.input").quickGELU()
      x = try x + linear(inner, "\(path).mlp.output")
    }
    return try norm(x.select(1, 0), "image.postNorm").linear(tree.require("image.projection.weight"))
  }

  @Test func `features are those of rounded weights and inputs`() throws {
    let clip = try TinyCLIP()
    let pixels = try pixels(clip)
    let (single, half, expected) = try Engine.withoutGradients {
      (try clip.model.image.features(pixels), try bf16(clip).image.features(pixels), try reference(clip, pixels))
    }
    let toSingle = try distance(half, single)
    #expect(toSingle > 1e-4 && toSingle < 3e-2, "\(toSingle)")
    // A processor with units rounds results of products too.
    let flags = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let hasUnits = ["avx512_bf16", "amx_bf16"].contains { flags.contains($0) } || flags.isEmpty
    let toExpected = try distance(half, expected)
    // One rounding that falls the other way, by fp32's own rounding, is worth some 1e-4.
    #expect(toExpected < (hasUnits ? 3e-2 : toSingle / 4), "\(toExpected), to fp32 \(toSingle)")
  }

  @Test func `gradients of prompts point where those of single precision do`() throws {
    let clip = try TinyCLIP()
    let pixels = try pixels(clip)
    let names = clip.names(["cat", "red fox", "wooden chair"])
    let own = try clip.normal([1, 2, clip.model.configuration.image.width], seed: 20).asParameter()
    let context = try clip.normal([1, 4, clip.model.configuration.text.width], seed: 2, deviation: 0.1).asParameter()
    func gradients(_ model: CLIPModel) throws -> [Tensor] {
      let (images, texts) = try Engine.withGradients {
        (
          try model.image.features(pixels, injection: PromptInjection(layers: [0: own, 1: own])),
          try model.text.features(names, injection: PromptInjection(layers: [0: context]))
        )
      }
      return try Gradients.of([(images.normalized().sum() + texts.normalized().sum())], with: [own, context])
    }
    for (half, single) in zip(try gradients(bf16(clip)), try gradients(clip.model)) {
      #expect(half.dtype == .float32)
      let cosine = try (half.reshaped([half.count]).normalized() * single.reshaped([single.count]).normalized())
        .sum().item()
      #expect(cosine > 0.995 && cosine < 0.9999999, "\(cosine)")
    }
  }

  @Test func `all ways give the same in bf16`() throws {
    let clip = try TinyCLIP()
    let model = try bf16(clip)
    let pixels = try pixels(clip)
    let names = clip.names(["cat", "red fox", "wooden chair"])
    let own = try clip.normal([1, 2, clip.model.configuration.image.width], seed: 20).asParameter()
    let context = try clip.normal([2, 4, clip.model.configuration.text.width], seed: 2, deviation: 0.1).asParameter()
    func results(
      _ model: CLIPModel, _ image: ImageTower.EncodingPath, _ text: TextTower.EncodingPath
    ) throws -> [Tensor] {
      let (images, texts) = try Engine.withGradients {
        (
          try model.image.features(pixels, injection: PromptInjection(layers: [0: own, 1: own]), path: image),
          try model.text.features(names, injection: PromptInjection(layers: [0: context]), path: text)
        )
      }
      #expect(images.dtype == .float32 && texts.dtype == .float32)
      // Sums of features of length one would hardly change with the prompts.
      let weights = try [images, texts].map { try clip.normal($0.shape, seed: 5) }
      return try [images.detached(), texts.detached()]
        + Gradients.of([images * weights[0], texts * weights[1]].map { try $0.sum() }, with: [own, context])
    }
    let fused = try results(model, .fused, .fused)
    let single = try results(clip.model, .plain, .plain)
    for (path, text) in [(ImageTower.EncodingPath.plain, TextTower.EncodingPath.plain), (.fused, .sharedPrefix)] {
      for (place, (found, expected)) in zip(try results(model, path, text), fused).enumerated() {
        let (apart, rounding) = (try distance(found, expected), try distance(found, single[place]))
        #expect(apart < 2e-2 && rounding > 1e-4, "\(text), \(place): \(apart), to fp32 \(rounding)")
      }
    }
  }

  @Test func `the same features come twice`() throws {
    let clip = try TinyCLIP()
    let pixels = try pixels(clip)
    let (first, second) = try Engine.withoutGradients {
      (try bf16(clip).image.features(pixels), try bf16(clip).image.features(pixels))
    }
    #expect(try first.isIdentical(to: second))
  }
}
