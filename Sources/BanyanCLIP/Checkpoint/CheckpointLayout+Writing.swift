import BanyanTensor

extension CheckpointLayout {
  /// The tensors of a file, under its keys, that ``source(of:)`` would make `tree` of.
  func tensors(of tree: ParameterTree) throws -> ParameterTree {
    var result = ParameterTree()
    for path in tree.paths {
      let tensor = try tree.require(path)
      switch source(of: path) {
      case .key(let key): result[key] = tensor
      case .transposed(let key): result[key] = try tensor.transposed()
      case .joined(let keys):
        let rows = tensor.extent(0) / keys.count
        for (index, key) in keys.enumerated() {
          result[key] = try tensor.narrowed(0, start: index * rows, length: rows)
        }
      }
    }
    return result
  }
}
