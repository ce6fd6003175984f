import BanyanFoundation
import BanyanTensor
import Synchronization

/// A block's fast twin, made when it is first asked for.
final class FrozenTwin: Sendable {
  private let block: TransformerBlock
  private let precision: TowerPrecision
  private let made = Mutex<FrozenBlock?>(nil)

  init(_ block: TransformerBlock, _ precision: TowerPrecision) {
    self.block = block
    self.precision = precision
  }

  /// Whether there is a twin: nothing of the block is trained, and its weights are such as the processor's fast products
  /// take.
  var exists: Bool { block.isFrozen }

  /// The twin; `nil` where the block's weights are trained, or where the engine has no fast way for them.
  func callAsFunction() throws -> FrozenBlock? {
    guard block.isFrozen else { return nil }
    return try made.withLock { made in
      if made == nil { made = try block.frozen(precision.dtype) }
      return made
    }
  }
}

extension TransformerBlock {
  private var parts: [(weight: Tensor, bias: Tensor?)] {
    [
      (norm1.weight, norm1.bias), (queryKeyValue.weight, queryKeyValue.bias), (output.weight, output.bias),
      (norm2.weight, norm2.bias), (mlpInput.weight, mlpInput.bias), (mlpOutput.weight, mlpOutput.bias),
    ]
  }

  fileprivate var isFrozen: Bool {
    parts.flatMap { [$0.weight, $0.bias] }.allSatisfy { tensor in
      tensor.map { !$0.requiresGradient && $0.dtype == .float32 && $0.device == .cpu } ?? false
    }
  }

  fileprivate func frozen(_ precision: DType) throws -> FrozenBlock {
    let parts = try parts.map { part in
      guard let bias = part.bias else { throw BanyanError(.failed, at: "block", "has no bias") }
      return (weight: part.weight, bias: bias)
    }
    return try FrozenBlock(
      norm1: parts[0], queryKeyValue: parts[1], output: parts[2], norm2: parts[3], mlpInput: parts[4],
      mlpOutput: parts[5], heads: heads, epsilon: norm1.epsilon,
      activation: activation == .quickGELU ? .quickGELU : .gelu, precision: precision)
  }
}
