import BanyanFoundation
public import BanyanTensor

/// A residual network of basic blocks with frozen batch norms: ResNet-18 and ResNet-34, without their classifier.
///
///     stem:   relu(norm(conv₇ₓ₇, stride 2)), max pooling 3 × 3, stride 2
///     block:  relu(norm(conv₃ₓ₃(relu(norm(conv₃ₓ₃ x)))) + shortcut x)
///     output: the mean over all places                              // [batch, width]
///
/// Unlike ``ImageTower`` it has no text tower beside it: it serves as a probe for task embeddings, as in their paper. Its
/// geometry is read off the weights' names and shapes, which are those of torchvision.
/// Paper: He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016, arXiv:1512.03385.
public struct ResidualNetwork: ProbeNetwork {
  /// A convolution and what follows it in the network.
  private struct Unit: Sendable {
    let layer: FilterLayer
    let scale: Tensor  // [1, filters, 1, 1]
    let shift: Tensor  // [1, filters, 1, 1]
    let stride: Int
    let padding: Int

    func callAsFunction(_ x: Tensor, tap: FilterTap) throws -> Tensor {
      let y = try tap(layer, x, x.convolution2D(layer.weight, stride: stride, padding: padding))
      return try y * scale + shift
    }
  }

  private struct Block: Sendable {
    let first: Unit
    let second: Unit
    let shortcut: Unit?
  }

  private let stem: Unit
  private let blocks: [Block]
  /// How many numbers the features have.
  public let featureWidth: Int

  /// What torchvision's batch norm adds to the variance.
  private static let epsilon = 1e-5

  /// A network over weights by torchvision's names; those of the classifier (`fc`) are left aside.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` that names the key which is missing, surplus or of the wrong shape.
  public init(_ tree: ParameterTree) throws {
    var known: Set<String> = []
    func unit(_ convolution: String, _ norm: String, input: Int, kernel: Int, stride: Int) throws -> Unit {
      let path = "\(convolution).weight"
      known.insert(path)
      let weight = try tree.require(path)
      let shape = weight.shape
      guard shape.count == 4, shape[0] > 0, Array(shape[1...]) == [input, kernel, kernel] else {
        throw BanyanError(
          .malformed, at: path, "expected filters [n, \(input), \(kernel), \(kernel)], found \(shape)",
          remedy: "Give a ResNet-18 or ResNet-34 in torchvision's naming.")
      }
      let filters = shape[0]
      func part(_ name: String) throws -> Tensor {
        let path = "\(norm).\(name)"
        known.insert(path)
        let tensor = try tree.require(path)
        guard tensor.shape == [filters] else {
          throw BanyanError(.malformed, at: path, "expected shape [\(filters)], found \(tensor.shape)")
        }
        return try tensor.reshaped([1, filters, 1, 1])
      }
      let deviation = try (part("running_var") + Self.epsilon).sqrt()
      let scale = try part("weight") / deviation
      let padding = kernel / 2
      return Unit(
        layer: FilterLayer(
          name: convolution, kind: .convolution(kernel: kernel, stride: stride, padding: padding), weight: weight),
        scale: scale, shift: try part("bias") - part("running_mean") * scale, stride: stride, padding: padding)
    }
    stem = try unit("conv1", "bn1", input: 3, kernel: 7, stride: 2)
    var width = stem.layer.filters
    var found: [Block] = []
    for stage in 1...4 {
      var index = 0
      while tree["layer\(stage).\(index).conv1.weight"] != nil {
        let path = "layer\(stage).\(index)"
        let stride = stage > 1 && index == 0 ? 2 : 1
        let first = try unit("\(path).conv1", "\(path).bn1", input: width, kernel: 3, stride: stride)
        let second = try unit("\(path).conv2", "\(path).bn2", input: first.layer.filters, kernel: 3, stride: 1)
        var shortcut: Unit?
        if tree["\(path).downsample.0.weight"] != nil {
          shortcut = try unit("\(path).downsample.0", "\(path).downsample.1", input: width, kernel: 1, stride: stride)
        }
        guard second.layer.filters == shortcut?.layer.filters ?? width, shortcut != nil || stride == 1 else {
          throw BanyanError(
            .malformed, at: "\(path).conv2.weight",
            "expected as many filters as its shortcut has, found \(second.layer.filters)")
        }
        found.append(Block(first: first, second: second, shortcut: shortcut))
        width = second.layer.filters
        index += 1
      }
      guard index > 0 else {
        throw BanyanError(
          .malformed, at: "layer\(stage).0.conv1.weight", "the key is missing",
          remedy: "Give a ResNet-18 or ResNet-34 in torchvision's naming.")
      }
    }
    blocks = found
    featureWidth = width
    let surplus = tree.paths.filter {
      !known.contains($0) && !$0.hasSuffix(".num_batches_tracked") && !$0.hasPrefix("fc.")
    }
    guard surplus.isEmpty else {
      throw BanyanError(
        .malformed, at: surplus[0], "the key has no place in a network of basic blocks",
        remedy: "Give a ResNet-18 or ResNet-34; deeper ones have other blocks.")
    }
  }

  public var filterLayers: [FilterLayer] {
    [stem.layer] + blocks.flatMap { [$0.first.layer, $0.second.layer] + ($0.shortcut.map { [$0.layer] } ?? []) }
  }

  public func features(_ pixels: Tensor, tap: FilterTap) throws -> Tensor { try map(pixels, tap: tap).mean([2, 3]) }

  public func map(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let shape = pixels.shape
    guard shape.count == 4, shape[1] == 3, shape[2] > 0, shape[3] > 0 else {
      throw BanyanError(.failed, at: "residual network", "expected pixels [batch, 3, height, width], found \(shape)")
    }
    var x = try stem(pixels, tap: tap).relu().maxPooled(kernel: 3, stride: 2, padding: 1)
    for block in blocks {
      let y = try block.second(block.first(x, tap: tap).relu(), tap: tap)
      x = try (y + (block.shortcut.map { try $0(x, tap: tap) } ?? x)).relu()
    }
    return x
  }
}
