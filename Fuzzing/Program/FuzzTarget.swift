import BanyanCLIP
import BanyanFoundation
import BanyanService
import BanyanTensor
import Foundation

/// One reader of foreign bytes, with what must hold for any bytes.
///
/// A reader may refuse with a `BanyanError` (the service: a `ServiceError`) and may accept; what it accepts must be consistent and
/// usable. Anything else ends the process, which is what a fuzzer looks for.
enum FuzzTarget: String, CaseIterable {
  case safetensors, json, tokenizer, picture, http

  /// Reads `bytes` once.
  func read(_ bytes: Data) {
    do {
      switch self {
      case .safetensors: try safetensors(bytes)
      case .json: try JSONReaders.read(bytes)
      case .tokenizer: try TokenizerReaders.read(bytes)
      case .picture: try picture(bytes)
      case .http: try http(bytes)
      }
    } catch let error as BanyanError {
      require(!error.message.isEmpty, "an error without words")
      require(error.kind == .malformed || error.kind == .usage || error.kind == .missingInput, "\(error)")
    } catch let error as ServiceError {
      require((400..<500).contains(error.code) && !error.message.isEmpty, "\(error)")
    } catch {
      require(false, "an error of another kind: \(error)")
    }
  }

  /// Ends the process where `holds` is false.
  static func require(_ holds: Bool, _ what: @autoclosure () -> String) {
    if holds { return }
    FileHandle.standardError.write(Data("broken: \(what())\n".utf8))
    abort()
  }

  private func require(_ holds: Bool, _ what: @autoclosure () -> String) { Self.require(holds, what()) }

  /// What is read is written and read again as the same.
  private func safetensors(_ bytes: Data) throws {
    let file = try SafetensorsFile(bytes, path: "fuzzed")
    let tree = try file.tree()
    for tensor in tree.tensors { _ = try tensor.doubles() }
    let again = try SafetensorsFile(SafetensorsFile.encode(tree, metadata: file.metadata), path: "again")
    require(again.metadata == file.metadata && again.entries.keys == file.entries.keys, "other entries")
    for (path, tensor) in zip(tree.paths, tree.tensors) {
      require(try again.tensor(path).bytes() == tensor.bytes(), "\(path) has other bytes")
    }
  }

  private func picture(_ bytes: Data) throws {
    let image = try ImageDecoder.decode(bytes, name: "fuzzed", pixelLimit: 1 << 20)
    require(image.width > 0 && image.height > 0 && image.pixels.count == 3 * image.width * image.height, "other size")
    let planes = try ImagePreprocessor(imageSize: 16)(image)
    require(planes.count == 3 * 16 * 16 && planes.allSatisfy(\.isFinite), "planes that are not finite")
  }

  /// The first byte says what kind of body it is, the second how long the JSON in front of bytes.
  private func http(_ bytes: Data) throws {
    guard bytes.count > 2 else { return }
    let body = Data(bytes.dropFirst(2))
    switch bytes[bytes.startIndex] % 3 {
    case 0:
      // With a header of its own in front, or with a plain one.
      let header = bytes[bytes.startIndex + 1] % 2 == 1 ? body.prefix { $0 != UInt8(ascii: "\n") } : nil
      let type = header.map { String(decoding: $0, as: UTF8.self) } ?? "multipart/form-data; boundary=b"
      let form = try MultipartForm(Data(body.dropFirst(header.map { $0.count + 1 } ?? 0)), contentType: type, limit: 8)
      require(form.parts.count <= 8, "more parts than allowed")
      require(form.parts.allSatisfy { $0.data.count <= body.count }, "a part longer than its form")
    case 1:
      let length = min(body.count, Int(bytes[bytes.startIndex + 1]))
      let request = try InferenceRequest(body, headerLength: "\(length)")
      require(request.count >= 1, "a request for nothing")
    default: _ = try InferenceRequest(body, headerLength: nil)
    }
  }
}
