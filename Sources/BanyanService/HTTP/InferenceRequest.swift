import BanyanFoundation
package import Foundation
import HTTPTypes

/// The body of an infer request: one input, and the outputs that are asked for.
///
/// Protocol: *Open Inference Protocol, version 2* (KServe), with its binary tensor data extension.
package struct InferenceRequest: Sendable {
  /// An output that is asked for.
  struct Output: Sendable {
    var name: String
    /// Whether its elements go behind the JSON.
    var isBinary: Bool
    /// How many classes to name; probabilities where `nil`.
    var classes: Int?
  }

  let id: String?
  let input: InferenceTensor
  let outputs: [Output]

  /// How many pictures are sent.
  package var count: Int { input.shape[0] }

  /// How many numbers are read as JSON: in memory each takes many times what it takes as bytes.
  private static let numberLimit = 1 << 21

  /// Takes a body apart.
  ///
  /// - Parameters:
  ///   - body: The whole body.
  ///   - headerLength: The header `Inference-Header-Content-Length`, the bytes of JSON; `nil` where all is JSON.
  /// - Throws: A ``ServiceError`` with status 400 that says what does not fit.
  package init(_ body: Data, headerLength: String?) throws {
    let split = try Self.split(body, headerLength: headerLength)
    var binary = split.binary
    // Before any of them is read; what stands between commas is at least as much.
    guard split.json.count(where: { $0 == UInt8(ascii: ",") }) <= Self.numberLimit else {
      throw ServiceError(
        .contentTooLarge,
        "expected at most \(Self.numberLimit) numbers in the JSON; more go behind it, as bytes (binary_data_size)")
    }
    guard let json = try? JSONDecoder().decode(JSONValue.self, from: split.json), case .object = json else {
      throw ServiceError(.badRequest, "expected a JSON object")
    }
    guard let list = json["inputs"]?.arrayValue, list.count == 1 else {
      throw ServiceError(.badRequest, "expected a list of inputs with one input, image or pixels")
    }
    input = try InferenceTensor(list[0], binary: &binary)
    guard binary.isEmpty else {
      throw ServiceError(.badRequest, "\(binary.count) bytes behind the JSON belong to no input")
    }
    id = json["id"]?.stringValue
    outputs = try Self.outputs(json)
  }

  /// The JSON and what stands behind it.
  private static func split(_ body: Data, headerLength: String?) throws -> (json: Data, binary: Data) {
    guard let headerLength else { return (body, Data()) }
    guard let length = Int(headerLength), length >= 0, length <= body.count else {
      throw ServiceError(
        .badRequest, "Inference-Header-Content-Length: expected 0 to \(body.count), found \(headerLength)")
    }
    return (Data(body.prefix(length)), Data(body.dropFirst(length)))
  }

  /// Which outputs are asked for, and how each is to be sent.
  private static func outputs(_ json: JSONValue) throws -> [Output] {
    let isBinary = json["parameters"]?["binary_data_output"]?.boolValue ?? false
    guard let outputs = json["outputs"] else {
      return ["probabilities", "label"].map { Output(name: $0, isBinary: isBinary, classes: nil) }
    }
    guard let list = outputs.arrayValue else { throw ServiceError(.badRequest, "expected a list of outputs") }
    let names = list.compactMap { $0["name"]?.stringValue }
    guard Set(names).count == list.count else {
      throw ServiceError(.badRequest, "expected each output once, with its name")
    }
    return try list.map { output in
      guard let name = output["name"]?.stringValue, ["probabilities", "label"].contains(name) else {
        throw ServiceError(
          .badRequest, "expected the outputs probabilities and label, found \(output["name"]?.stringValue ?? "none")")
      }
      let classes = output["parameters"]?["classification"]
      if let classes, (classes.intValue ?? -1) < 0 || name != "probabilities" {
        throw ServiceError(.badRequest, "classification: expected a number of classes, of probabilities")
      }
      return Output(
        name: name, isBinary: output["parameters"]?["binary_data"]?.boolValue ?? isBinary,
        classes: classes?.intValue.flatMap { $0 > 0 ? $0 : nil })
    }
  }

  /// The largest number of a preprocessed picture, far beyond what any normalisation makes; beyond it sums are not finite.
  private static let largestPixel: Float = 1e4

  /// The pictures of the input.
  ///
  /// - Parameters:
  ///   - size: The planes that the image tower takes.
  ///   - limit: The most pictures.
  func sources(_ size: (height: Int, width: Int), limit: Int) throws -> [Answering.Source] {
    guard input.shape[0] <= limit else {
      throw ServiceError(.badRequest, "expected at most \(limit) pictures, found \(input.shape[0])")
    }
    switch (input.name, input.elements) {
    case ("image", .bytes(let files)):
      guard input.shape.count == 1 || input.shape == [files.count, 1] else {
        throw ServiceError(.badRequest, "input image: expected the shape [pictures], found \(input.shape)")
      }
      return files.enumerated().map { .file(name: "picture \($0)", data: $1) }
    case ("pixels", .floats(let values)):
      guard input.shape.count == 4, Array(input.shape[1...]) == [3, size.height, size.width] else {
        throw ServiceError(
          .badRequest, "input pixels: expected [pictures, 3, \(size.height), \(size.width)], found \(input.shape)")
      }
      guard values.allSatisfy({ abs($0) <= Self.largestPixel }) else {
        throw ServiceError(
          .badRequest, "input pixels: expected normalised planes, of numbers up to \(Int(Self.largestPixel))")
      }
      let length = values.count / input.shape[0]
      return (0..<input.shape[0]).map { .planes(Array(values[$0 * length..<($0 + 1) * length])) }
    default:
      throw ServiceError(
        .badRequest,
        "expected the input image (BYTES) or pixels (FP32), found \(input.name) (\(input.dataType.rawValue))")
    }
  }
}
