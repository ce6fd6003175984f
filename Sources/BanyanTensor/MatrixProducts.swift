import CTorch

/// Which of the engine's two libraries multiplies matrices in single precision on the processor.
///
/// Both give the same products up to rounding. Inside a ``FusedBlock`` the choice goes for attention too: libtorch's, which stands
/// on its BLAS, or Banyan's own loops. The choice depends on the processor and on shapes alone, so that results
/// repeat.
public enum MatrixProducts: Sendable, CaseIterable {
  /// oneDNN on x86 processors with AVX-512 that are not Intel's, where it is twice as fast; else libtorch's BLAS.
  case automatic
  /// libtorch's BLAS: MKL on x86.
  case blas
  /// oneDNN.
  case oneDNN

  var engineValue: ct_products {
    switch self {
    case .automatic: CT_PRODUCTS_AUTOMATIC
    case .blas: CT_PRODUCTS_BLAS
    case .oneDNN: CT_PRODUCTS_ONEDNN
    }
  }
}
