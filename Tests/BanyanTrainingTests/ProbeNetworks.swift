import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor

/// `features = pixels Wᵀ`, one linear layer over the pixels as they lie.
struct LinearProbeNetwork: ProbeNetwork {
  var weight: Tensor  // [filters, pixels]

  var filterLayers: [FilterLayer] { [FilterLayer(name: "linear", kind: .linear, weight: weight)] }

  func features(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let x = try pixels.reshaped([pixels.extent(0), 1, pixels.count / pixels.extent(0)])
    return try tap(filterLayers[0], x, x.linear(weight)).select(1, 0)
  }

  func map(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let features = try features(pixels, tap: tap)
    return try features.reshaped(features.shape + [1, 1])
  }
}

/// `features[i] = w[i] · pixels[i]`, every weight a layer of its own.
struct SeparateProbeNetwork: ProbeNetwork {
  var weights: [Double]

  var filterLayers: [FilterLayer] {
    weights.indices.compactMap { index in
      (try? Tensor([weights[index]], shape: [1, 1])).map {
        FilterLayer(name: "weight \(index)", kind: .linear, weight: $0)
      }
    }
  }

  func features(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let x = try pixels.reshaped([pixels.extent(0), 1, pixels.count / pixels.extent(0)])
    let parts = try filterLayers.enumerated().map { index, layer in
      let own = try x.narrowed(2, start: index, length: 1)  // [batch, 1, 1]
      return try tap(layer, own, own.linear(layer.weight))
    }
    return try Tensor.concatenated(parts, axis: 2).select(1, 0)
  }

  func map(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let features = try features(pixels, tap: tap)
    return try features.reshaped(features.shape + [1, 1])
  }
}

/// A convolution, a sigmoid, a linear layer over all places: both kinds of layer, and gradients through a nonlinearity.
struct MixedProbeNetwork: ProbeNetwork {
  var convolution: Tensor  // [filters, 3, 3, 3]
  var linear: Tensor  // [out, filters]

  var filterLayers: [FilterLayer] {
    [
      FilterLayer(name: "convolution", kind: .convolution(kernel: 3, stride: 2, padding: 1), weight: convolution),
      FilterLayer(name: "linear", kind: .linear, weight: linear),
    ]
  }

  func features(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let layers = filterLayers
    let y = try tap(layers[0], pixels, pixels.convolution2D(convolution, stride: 2, padding: 1)).sigmoid()
    let shape = y.shape
    let rows = try y.reshaped([shape[0], shape[1], shape[2] * shape[3]]).transposed()
    return try tap(layers[1], rows, rows.linear(linear)).tanh().mean([1])
  }

  func map(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    try tap(filterLayers[0], pixels, pixels.convolution2D(convolution, stride: 2, padding: 1))
  }
}

/// `features = σ(pixels Uᵀ)`: the two-layer network of the supplement's section 5 without its classifier.
struct SigmoidProbeNetwork: ProbeNetwork {
  var weight: Tensor  // [hidden, pixels]

  var filterLayers: [FilterLayer] { [FilterLayer(name: "hidden", kind: .linear, weight: weight)] }

  func features(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let x = try pixels.reshaped([pixels.extent(0), 1, pixels.count / pixels.extent(0)])
    return try tap(filterLayers[0], x, x.linear(weight)).sigmoid().select(1, 0)
  }

  func map(_ pixels: Tensor, tap: FilterTap) throws -> Tensor {
    let features = try features(pixels, tap: tap)
    return try features.reshaped(features.shape + [1, 1])
  }
}
