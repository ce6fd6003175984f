import BanyanFoundation
public import Foundation

/// The safetensors file format: a length, a JSON header, then raw tensors.
///
/// The file is memory-mapped and a tensor is copied out when it is asked for. Every number of the header is checked
/// against the file's size before it is used, so that a damaged or hostile file is an error and never a crash.
public struct SafetensorsFile: Sendable {
  /// Where one tensor lies.
  public struct Entry: Sendable, Equatable {
    /// The type of the elements as stored.
    public let dtype: DType
    /// The extents.
    public let shape: [Int]
    let range: Range<Int>
  }

  /// The largest header that is accepted, as in the reference implementation.
  static let headerLimit = 100_000_000

  /// The tensors by name.
  public let entries: [String: Entry]
  /// The free texts of the header.
  public let metadata: [String: String]
  /// The file's place, for messages.
  public let path: String
  private let data: Data

  /// Maps the file and reads its header.
  ///
  /// - Throws: A `BanyanError` of kind `missingInput` or `malformed` that names the file and the tensor.
  public init(contentsOf url: URL) throws {
    try self.init(AtomicFile.read(url), path: url.path)
  }

  /// Reads a header from bytes; `path` names them in messages.
  public init(_ data: Data, path: String) throws {
    self.data = data
    self.path = path
    let remedy = "The file is truncated or damaged: copy it again from its source."
    guard data.count >= 8 else {
      throw BanyanError(.malformed, at: path, "expected a safetensors file, found \(data.count) bytes", remedy: remedy)
    }
    let length = data.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) }
    guard length <= UInt64(Self.headerLimit), length <= UInt64(data.count - 8) else {
      throw BanyanError(
        .malformed, at: path, "the header claims \(length) bytes, the file has \(data.count - 8) after its first 8",
        remedy: remedy)
    }
    let start = 8 + Int(length)
    let header = data.subdata(in: data.startIndex + 8..<data.startIndex + start)
    guard case .object(let members) = try JSONDocument.decode(JSONValue.self, from: header, subject: "\(path): header")
    else { throw BanyanError(.malformed, at: "\(path): header", "expected an object", remedy: remedy) }
    guard Self.colons(header) == Self.members(.object(members)) else {
      throw BanyanError(.malformed, at: "\(path): header", "two entries have the same name", remedy: remedy)
    }
    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    for (name, value) in members {
      if name == "__metadata__" {
        guard let texts = value.objectValue?.mapValues(\.stringValue), texts.values.allSatisfy({ $0 != nil }) else {
          throw BanyanError(.malformed, at: "\(path): __metadata__", "expected an object of texts", remedy: remedy)
        }
        metadata = texts.compactMapValues { $0 }
      } else {
        entries[name] = try Self.entry(value, at: "\(path): \(name)", room: data.count - start)
      }
    }
    // Tensors must tile the data: no overlap, no gap, nothing behind the last.
    var end = 0
    // A tensor without elements may share its start with the next, hence the ends in the order.
    let order = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    for (name, entry) in order {
      guard entry.range.lowerBound == end else {
        throw BanyanError(
          .malformed, at: "\(path): \(name)", "expected to start at \(end), found \(entry.range.lowerBound)",
          remedy: remedy)
      }
      end = entry.range.upperBound
    }
    guard end == data.count - start else {
      throw BanyanError(
        .malformed, at: path, "the tensors take \(end) bytes, the file has \(data.count - start)", remedy: remedy)
    }
    self.entries = entries.mapValues {
      Entry(dtype: $0.dtype, shape: $0.shape, range: start + $0.range.lowerBound..<start + $0.range.upperBound)
    }
    self.metadata = metadata
  }

  /// The tensor called `name`, as stored or converted.
  public func tensor(_ name: String, as dtype: DType? = nil) throws -> Tensor {
    guard let entry = entries[name] else {
      throw BanyanError(
        .malformed, at: "\(path): \(name)", "there is no such tensor",
        remedy: NearNames.remedy(for: name, among: entries.keys))
    }
    let tensor = try data.withUnsafeBytes { bytes in
      let own = UnsafeRawBufferPointer(rebasing: bytes[entry.range])
      guard entry.dtype != .bool || own.allSatisfy({ $0 <= 1 }) else {
        throw BanyanError(.malformed, at: "\(path): \(name)", "expected BOOL bytes of 0 or 1")
      }
      return try Tensor.fromBytes(own, dtype: entry.dtype, shape: entry.shape)
    }
    return try dtype.map { try tensor.to($0) } ?? tensor
  }

  /// All tensors.
  public func tree(as dtype: DType? = nil) throws -> ParameterTree {
    ParameterTree(try Dictionary(uniqueKeysWithValues: entries.keys.map { ($0, try tensor($0, as: dtype)) }))
  }

  /// How many `:` stand outside texts: one for each member that was written, also where two have one name.
  private static func colons(_ header: Data) -> Int {
    var count = 0
    var inText = false
    var escaped = false
    for byte in header {
      if escaped {
        escaped = false
      } else if byte == UInt8(ascii: "\"") {
        inText.toggle()
      } else if inText {
        escaped = byte == UInt8(ascii: "\\")
      } else if byte == UInt8(ascii: ":") {
        count += 1
      }
    }
    return count
  }

  /// How many members the objects of `value` have after reading, where the last of one name has won.
  private static func members(_ value: JSONValue) -> Int {
    switch value {
    case .object(let members): members.values.reduce(members.count) { $0 + Self.members($1) }
    case .array(let elements): elements.reduce(0) { $0 + Self.members($1) }
    default: 0
    }
  }

  private static func entry(_ value: JSONValue, at subject: String, room: Int) throws -> Entry {
    guard let code = value["dtype"]?.stringValue, let shape = value["shape"]?.arrayValue,
      let offsets = value["data_offsets"]?.arrayValue?.map(\.intValue), offsets.count == 2,
      let begin = offsets[0], let end = offsets[1]
    else { throw BanyanError(.malformed, at: subject, "expected dtype, shape and data_offsets") }
    guard let dtype = SafetensorsCode.dtype(code) else {
      throw BanyanError(
        .malformed, at: subject, "expected a dtype of \(SafetensorsCode.all.joined(separator: ", ")), found \(code)")
    }
    var bytes = dtype.byteCount
    let extents = try shape.map { extent -> Int in
      guard let extent = extent.intValue, extent >= 0 else {
        throw BanyanError(.malformed, at: subject, "expected extents that are integers of zero or more")
      }
      let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw BanyanError(.malformed, at: subject, "the shape is larger than any memory") }
      bytes = product
      return extent
    }
    guard 0 <= begin, begin <= end, end <= room, end - begin == bytes else {
      throw BanyanError(
        .malformed, at: subject,
        "expected \(bytes) bytes inside \(room), found offsets \(begin) to \(end)",
        remedy: "The file is truncated or damaged: copy it again from its source.")
    }
    return Entry(dtype: dtype, shape: extents, range: begin..<end)
  }
}

/// The names that safetensors gives to types.
enum SafetensorsCode {
  private static let table: [(String, DType)] = [
    ("F32", .float32), ("F64", .float64), ("F16", .float16), ("BF16", .bfloat16), ("I64", .int64), ("I32", .int32),
    ("U8", .uint8), ("BOOL", .bool),
  ]

  static var all: [String] { table.map(\.0) }
  static func dtype(_ code: String) -> DType? { table.first { $0.0 == code }?.1 }
  static func code(_ dtype: DType) -> String { table.first { $0.1 == dtype }?.0 ?? "F32" }
}
