import BanyanFoundation
public import Foundation

extension SafetensorsFile {
  /// Writes `tree` to `url`, whole or not at all; equal trees give equal bytes.
  public static func write(_ tree: ParameterTree, metadata: [String: String] = [:], to url: URL) throws {
    try AtomicFile.write(encode(tree, metadata: metadata), to: url)
  }

  /// The bytes of a file that holds `tree`, in the order of its paths.
  public static func encode(_ tree: ParameterTree, metadata: [String: String] = [:]) throws -> Data {
    var header: [String: JSONValue] = [:]
    if !metadata.isEmpty { header["__metadata__"] = .object(metadata.mapValues(JSONValue.string)) }
    guard tree["__metadata__"] == nil else {
      throw BanyanError(
        .failed, at: "__metadata__", "the safetensors format keeps this name for itself",
        remedy: "Call the parameter otherwise.")
    }
    var body = Data()
    for path in tree.paths {
      let tensor = try tree.require(path)
      let begin = body.count
      body.append(contentsOf: try tensor.bytes())
      header[path] = .object([
        "dtype": .string(SafetensorsCode.code(tensor.dtype)),
        "shape": .array(tensor.shape.map { .integer(Int64($0)) }),
        "data_offsets": .array([.integer(Int64(begin)), .integer(Int64(body.count))]),
      ])
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text = try encoder.encode(JSONValue.object(header))
    while text.count % 8 != 0 { text.append(0x20) }
    var data = Data()
    withUnsafeBytes(of: UInt64(text.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(text)
    data.append(body)
    return data
  }
}
