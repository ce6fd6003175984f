import BanyanFoundation
import Foundation
import HTTPTypes

/// A tensor of the Open Inference Protocol, as JSON or as bytes behind the JSON.
///
/// Protocol: *Open Inference Protocol, version 2* (KServe), and its binary tensor data extension.
struct InferenceTensor: Sendable {
  /// What the elements are.
  enum DataType: String, Sendable {
    case fp32 = "FP32"
    case bytes = "BYTES"
  }

  /// The elements, row by row.
  enum Elements: Sendable {
    case floats([Float])
    case bytes([Data])
  }

  var name: String
  var shape: [Int]
  var elements: Elements

  var dataType: DataType { if case .floats = elements { .fp32 } else { .bytes } }

  /// Reads an input.
  ///
  /// - Parameters:
  ///   - json: The input's object.
  ///   - binary: What stands behind the JSON; its first bytes are taken off where the input says that they are its own.
  /// - Throws: A ``ServiceError`` with status 400 that names the input and what does not fit.
  init(_ json: JSONValue, binary: inout Data) throws {
    guard let name = json["name"]?.stringValue else { throw ServiceError(.badRequest, "an input has no name") }
    func fault(_ words: String) -> ServiceError { ServiceError(.badRequest, "input \(name): \(words)") }
    self.name = name
    guard let list = json["shape"]?.arrayValue, !list.isEmpty, list.count <= 8 else { throw fault("expected a shape") }
    shape = try list.map { value in
      guard let extent = value.intValue, (1...1 << 24).contains(extent) else {
        throw fault("expected extents of 1 or more in the shape")
      }
      return extent
    }
    let count = shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).overflow ? Int.max : $0 * $1 }
    guard count <= 1 << 28 else { throw fault("the shape is too large") }
    guard let type = json["datatype"]?.stringValue, let dataType = DataType(rawValue: type) else {
      throw fault("expected the datatype FP32 or BYTES, found \(json["datatype"]?.stringValue ?? "none")")
    }
    if let size = json["parameters"]?["binary_data_size"] {
      guard let size = size.intValue, size >= 0, size <= binary.count else {
        throw fault("expected binary_data_size bytes behind the JSON, found \(binary.count)")
      }
      let own = Data(binary.prefix(size))
      binary = Data(binary.dropFirst(size))
      elements = try Self.elements(own, dataType, count: count) { fault($0) }
    } else {
      guard let data = json["data"] else { throw fault("expected data") }
      elements = try Self.elements(data, dataType, count: count) { fault($0) }
    }
    let found =
      switch elements {
      case .floats(let values): values.count
      case .bytes(let values): values.count
      }
    guard found == count else { throw fault("expected \(count) elements for the shape \(shape), found \(found)") }
  }

  init(name: String, shape: [Int], elements: Elements) {
    (self.name, self.shape, self.elements) = (name, shape, elements)
  }

  /// - Parameter count: More than so many are not looked at.
  private static func elements(
    _ bytes: Data, _ type: DataType, count: Int, fault: (String) -> ServiceError
  ) throws -> Elements {
    switch type {
    case .fp32:
      guard bytes.count % 4 == 0 else { throw fault("expected a multiple of 4 bytes") }
      return .floats(
        bytes.withUnsafeBytes { raw in
          (0..<bytes.count / 4).map {
            Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
          }
        })
    case .bytes:
      var values: [Data] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        guard values.count < count else { throw fault("expected \(count) elements for the shape, found more") }
        guard rest.count >= 4 else { throw fault("an element's length is cut short") }
        let length = rest.prefix(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        rest = rest.dropFirst(4)
        guard length <= rest.count else { throw fault("an element is cut short") }
        values.append(Data(rest.prefix(length)))
        rest = rest.dropFirst(length)
      }
      return .bytes(values)
    }
  }

  /// Elements of a JSON list, which may be nested as the shape is.
  private static func elements(
    _ json: JSONValue, _ type: DataType, count: Int, fault: (String) -> ServiceError
  ) throws -> Elements {
    var flat: [JSONValue] = []
    func collect(_ value: JSONValue) throws {
      if case .array(let list) = value {
        try list.forEach(collect)
      } else {
        guard flat.count < count else { throw fault("expected \(count) elements for the shape, found more") }
        flat.append(value)
      }
    }
    guard case .array = json else { throw fault("expected a list as data") }
    try collect(json)
    switch type {
    case .fp32:
      return .floats(
        try flat.map {
          guard let value = $0.doubleValue else { throw fault("expected numbers, found \($0.kindName)") }
          return Float(value)
        })
    case .bytes:
      // JSON has no bytes; a file's travel as base64.
      return .bytes(
        try flat.map {
          guard let text = $0.stringValue, let data = Data(base64Encoded: text) else {
            throw fault("expected base64 texts; raw files go behind the JSON (binary_data_size)")
          }
          return data
        })
    }
  }

  /// The output's object; its elements are put behind `binary` where it is given.
  func json(binary: inout Data?) -> JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "datatype": .string(dataType.rawValue), "shape": .array(shape.map { .integer(Int64($0)) }),
    ]
    if binary != nil {
      let own = bytes
      members["parameters"] = .object(["binary_data_size": .integer(Int64(own.count))])
      binary?.append(own)
    } else {
      members["data"] =
        switch elements {
        case .floats(let values): .array(values.map { .number(Double($0)) })
        case .bytes(let values): .array(values.map { .string(String(decoding: $0, as: UTF8.self)) })
        }
    }
    return .object(members)
  }

  private var bytes: Data {
    var data = Data()
    switch elements {
    case .floats(let values):
      data.reserveCapacity(4 * values.count)
      for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
    case .bytes(let values):
      for value in values {
        withUnsafeBytes(of: UInt32(value.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(value)
      }
    }
    return data
  }
}
