public import BanyanFoundation
import BanyanTensor

/// In what numbers frozen towers multiply.
///
/// Prompts, losses, norms, sums in attention and the optimizer's memory are fp32 either way.
public enum TowerPrecision: String, NamedChoice {
  /// Single precision.
  case fp32
  /// Weights and inputs of products rounded to bfloat16, sums in fp32. Fast on a GPU, and where the processor has units for
  /// it; elsewhere the rounded numbers are multiplied in single precision.
  case bf16

  var dtype: DType { self == .bf16 ? .bfloat16 : .float32 }
}
