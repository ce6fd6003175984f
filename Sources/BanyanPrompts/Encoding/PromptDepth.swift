import BanyanCLIP
import BanyanFoundation

/// How many prompt tokens stand at how many layers of both towers.
struct PromptDepth {
  let count: Int
  let textLayers: Int
  let imageLayers: Int

  /// - Parameter depth: The first so many layers of each tower; `nil` for all.
  init(count: Int, depth: Int?, context: MethodContext, keys: (count: String, depth: String)) throws {
    let configuration = context.model.configuration
    let deepest = max(configuration.text.layers, configuration.image.layers)
    let room = configuration.contextLength - 4
    guard (1...max(1, room)).contains(count) else {
      throw BanyanError(.usage, at: keys.count, "expected 1 to \(max(1, room)), found \(count)")
    }
    if let depth, !(1...deepest).contains(depth) {
      throw BanyanError(.usage, at: keys.depth, "expected 1 to \(deepest), found \(depth)")
    }
    self.count = count
    textLayers = min(depth ?? deepest, configuration.text.layers)
    imageLayers = min(depth ?? deepest, configuration.image.layers)
  }

  /// The layers of the deeper tower.
  var layers: Int { max(textLayers, imageLayers) }
}
