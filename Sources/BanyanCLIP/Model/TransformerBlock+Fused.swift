import BanyanFoundation
import BanyanTensor
import Synchronization

/// A block's fast twin, made when it is first asked for.
final class FusedTwin: Sendable {
  private let block: TransformerBlock
  private let precision: TowerPrecision
  private let made = Mutex<FusedBlock?>(nil)

  init(_ block: TransformerBlock, _ precision: TowerPrecision) {
    self.block = block
    self.precision = precision
  }

  /// Whether there is a twin: the weights are such as the engine's fast ways take.
  var exists: Bool { block.isSingleOnProcessor }

  /// The twin; `nil` where the engine has no fast way for the block's weights.
  func callAsFunction() throws -> FusedBlock? {
    guard exists else { return nil }
    return try made.withLock { made in
      if made == nil { made = try block.fused(precision.dtype) }
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

  fileprivate var isSingleOnProcessor: Bool {
    parts.flatMap { [$0.weight, $0.bias] }.allSatisfy { tensor in
      tensor.map { $0.dtype == .float32 && $0.device == .cpu } ?? false
    }
  }

  fileprivate func fused(_ precision: DType) throws -> FusedBlock {
    let parts = try parts.map { part in
      guard let bias = part.bias else { throw BanyanError(.failed, at: "block", "has no bias") }
      return (weight: part.weight, bias: bias)
    }
    return try FusedBlock(
      norm1: parts[0], queryKeyValue: parts[1], output: parts[2], norm2: parts[3], mlpInput: parts[4],
      mlpOutput: parts[5], heads: heads, epsilon: norm1.epsilon,
      activation: activation == .quickGELU ? .quickGELU : .gelu, precision: precision)
  }
}
