import BanyanFoundation

/// Named tensors: dotted paths such as `nodes.3.context`, in sorted order.
///
/// It is the one currency between methods, optimizers and files. Unlike a dictionary it has a fixed order, so that equal
/// trees give equal bytes.
public struct ParameterTree: Sendable {
  private var storage: [String: Tensor]

  /// The tensors by path.
  public init(_ tensors: [String: Tensor] = [:]) { storage = tensors }

  /// All paths, sorted.
  public var paths: [String] { storage.keys.sorted() }

  /// All tensors in the order of ``paths``.
  public var tensors: [Tensor] { paths.compactMap { storage[$0] } }

  /// How many tensors there are.
  public var count: Int { storage.count }

  /// How many numbers there are in all.
  public var parameterCount: Int { storage.values.reduce(0) { $0 + $1.count } }

  /// The tensor at `path`.
  public subscript(path: String) -> Tensor? {
    get { storage[path] }
    set { storage[path] = newValue }
  }

  /// The tensor at `path`.
  ///
  /// - Throws: A `BanyanError` that names the near paths.
  public func require(_ path: String) throws -> Tensor {
    guard let tensor = storage[path] else {
      throw BanyanError(
        .malformed, at: path, "there is no such parameter", remedy: NearNames.remedy(for: path, among: paths))
    }
    return tensor
  }

  /// Every tensor replaced by what `body` makes of it.
  public func mapTensors(_ body: (String, Tensor) throws -> Tensor) rethrows -> ParameterTree {
    var result: [String: Tensor] = [:]
    for path in paths { result[path] = try body(path, storage[path]!) }
    return ParameterTree(result)
  }

  /// The tensors of both trees; `other` wins where both have a path.
  public func merging(_ other: ParameterTree) -> ParameterTree {
    ParameterTree(storage.merging(other.storage) { _, new in new })
  }

  /// The tensors whose paths `isIncluded` accepts.
  public func filtered(_ isIncluded: (String) -> Bool) -> ParameterTree {
    ParameterTree(Dictionary(uniqueKeysWithValues: zip(paths, tensors).filter { isIncluded($0.0) }))
  }

  /// The same tree below `prefix`.
  public func nested(under prefix: String) -> ParameterTree {
    ParameterTree(Dictionary(uniqueKeysWithValues: storage.map { ("\(prefix).\($0.key)", $0.value) }))
  }

  /// A deep copy whose tensors share nothing with this one's.
  public func snapshot() throws -> ParameterTree { try mapTensors { try $1.detached().clone() } }

  /// The paths whose tensors are not bit for bit the same in `other`, or are in one tree only.
  public func differingPaths(from other: ParameterTree) throws -> [String] {
    try Set(paths).union(other.paths).sorted().filter { path in
      guard let mine = self[path], let theirs = other[path] else { return true }
      return try !mine.isIdentical(to: theirs)
    }
  }
}
