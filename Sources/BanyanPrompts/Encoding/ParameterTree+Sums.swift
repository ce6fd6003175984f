import BanyanTensor

extension ParameterTree {
  /// Adds `other`'s tensors to those of the same paths, and takes over the rest.
  mutating func add(_ other: ParameterTree) throws {
    for (path, tensor) in zip(other.paths, other.tensors) {
      self[path] = try self[path].map { try $0 + tensor } ?? tensor
    }
  }

  /// This tree with zeros for what only `other` has.
  func filled(like other: ParameterTree) throws -> ParameterTree {
    try other.mapTensors { path, tensor in
      try self[path] ?? .zeros(tensor.shape, dtype: tensor.dtype, device: tensor.device)
    }
  }
}
