import BanyanCLIP

/// How many floating-point operations the work of a case has, counted from the geometry: products alone, a multiplication
/// and an addition each.
struct FlopCount {
  let configuration: CLIPConfiguration

  /// Blocks over `tokens` tokens, each of which sees `seen` others.
  private func blocks(_ tower: CLIPConfiguration.Transformer, tokens: Int, seen: Int) -> Double {
    let linear = 2 * Double(4 * tower.width * tower.width + 2 * tower.width * tower.mlpWidth)
    let attention = 4 * Double(seen * tower.width)
    return Double(tower.layers * tokens) * (linear + attention)
  }

  /// Pictures through the image tower, with `prompts` tokens that need keys and values alone.
  func pictures(_ count: Int, prompts: Int = 0) -> Double {
    let tower = configuration.image
    let tokens = configuration.patchCount + 1
    let patches =
      2 * Double(count * configuration.patchCount * tower.width * 3 * configuration.patchSize * configuration.patchSize)
    let own = blocks(tower, tokens: count * tokens, seen: tokens + prompts)
    return own + patches + 4 * Double(tower.layers * prompts * tower.width * tower.width)
  }

  /// Texts whose first `shared` tokens are the same: computed once, then `own` tokens of all names together.
  func texts(shared: Int, own: Int, names: Int) -> Double {
    let tower = configuration.text
    let mean = shared + own / max(1, names)
    return blocks(tower, tokens: shared, seen: shared) + blocks(tower, tokens: own, seen: mean)
  }
}
