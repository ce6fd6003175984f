public import BanyanFoundation
public import BanyanTensor
public import Foundation

/// One file of goldens: tensors by name and, where there is one, the JSON beside them.
///
/// The files are made by `Tools/goldens` and described in `Tests/Goldens/SCHEMA.md`.
public struct Golden: Sendable {
  /// The name below `Tests/Goldens`, such as `clip/clip`.
  public let name: String
  private let file: SafetensorsFile

  /// Opens `Tests/Goldens/<name>.safetensors`.
  public init(_ name: String) throws {
    self.name = name
    file = try SafetensorsFile(contentsOf: Self.folder.appending(path: name + ".safetensors"))
  }

  /// The folder `Tests/Goldens` of this checkout.
  public static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Goldens")

  /// The tensor called `key`, floating point as stored and integers as 64-bit ones.
  public func callAsFunction(_ key: String) throws -> Tensor {
    let tensor = try file.tensor(key)
    return tensor.dtype.isFloatingPoint ? tensor : try tensor.to(.int64)
  }

  /// Whether there is a tensor called `key`.
  public func contains(_ key: String) -> Bool { file.entries[key] != nil }

  /// The only element of the tensor called `key`.
  public func number(_ key: String) throws -> Double { try self(key).reshaped([1]).item() }

  /// The document `Tests/Goldens/<name>.json`.
  public static func json(_ name: String) throws -> JSONValue {
    try JSONDocument.read(from: folder.appending(path: name + ".json"))
  }
}
