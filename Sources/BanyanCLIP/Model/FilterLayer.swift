public import BanyanTensor

/// A layer of filters as a probe sees it: every output unit with all weights that lead to it.
///
/// Task embeddings read from it what one filter is told by a task; unlike a path of a `ParameterTree` it says how the
/// weights are applied.
public struct FilterLayer: Sendable, Equatable {
  /// How the filters meet their input.
  public enum Kind: Sendable, Equatable {
    /// On every position of [batch, positions, in].
    case linear
    /// On every window of [batch, channels, height, width].
    case convolution(kernel: Int, stride: Int, padding: Int)
  }

  /// The layer's path in its network.
  public var name: String
  /// How the filters meet their input.
  public var kind: Kind
  /// The weights, a filter a row: [filters, …].
  public var weight: Tensor

  /// Describes a layer.
  public init(name: String, kind: Kind, weight: Tensor) {
    self.name = name
    self.kind = kind
    self.weight = weight
  }

  /// How many filters there are.
  public var filters: Int { weight.extent(0) }

  /// How many weights each has; its bias does not count.
  public var fanIn: Int { weight.count / max(1, filters) }

  public static func == (a: FilterLayer, b: FilterLayer) -> Bool {
    a.name == b.name && a.kind == b.kind && a.weight === b.weight
  }
}

/// Sees what goes into a layer and what comes out of it, and says what goes on from there.
///
/// A linear layer's input is [batch, positions, in], its output [batch, positions, filters]; a convolution's are
/// [batch, channels, height, width].
public typealias FilterTap = (_ layer: FilterLayer, _ input: Tensor, _ output: Tensor) throws -> Tensor

/// A fixed network that tasks are looked at through: pixels to features, with a tap at every layer of filters.
public protocol ProbeNetwork: Sendable {
  /// The layers in the order in which the pixels pass them.
  var filterLayers: [FilterLayer] { get }
  /// The features of pictures [batch, 3, side, side] as a classifier reads them: [batch, width].
  ///
  /// `tap` is called once for every one of ``filterLayers``, in their order.
  func features(_ pixels: Tensor, tap: FilterTap) throws -> Tensor
  /// What the network has seen at every place of a picture, for decoders: [batch, channels, rows, columns].
  ///
  /// `tap` is called for the layers that lead there, in the order of ``filterLayers``.
  func map(_ pixels: Tensor, tap: FilterTap) throws -> Tensor
}
