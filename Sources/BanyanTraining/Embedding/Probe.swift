public import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
public import Foundation

/// A network that tasks are looked at through, with what its pictures must look like.
public struct Probe: Sendable {
  /// What it is, with the digest of its weights; embeddings of equal names compare.
  public let name: String
  /// Pixels to features.
  public let network: any ProbeNetwork
  /// Pictures to the network's pixels.
  let reader: PictureReader

  /// The name carries the digests of the weights and of the preprocessing.
  init(_ kind: String, weights: String, network: any ProbeNetwork, reader: PictureReader) {
    let pixels = ContentHash.sha256(reader.preprocessor.fingerprint)
    (name, self.network, self.reader) = ("\(kind) \(weights.prefix(16)), pixels \(pixels.prefix(8))", network, reader)
  }

  /// What kind of network a name stands for, without digests.
  static func kind(of name: String) -> String {
    guard let pixels = name.range(of: ", pixels "), let digest = name[..<pixels.lowerBound].lastIndex(of: " ") else {
      return name
    }
    return String(name[..<digest])
  }

  /// The image tower of a checkpoint, on whose features a classifier of unit vectors stands.
  public init(_ bench: Workbench) {
    self.init(
      "CLIP image tower", weights: bench.fingerprint, network: bench.model.image, reader: bench.extractor.reader)
  }

  /// The residual network in a safetensors file or its folder.
  ///
  /// - Throws: A `BanyanError` that names the file and the key which does not fit.
  public init(residualNetwork url: URL) throws {
    let checkpoint = try ResidualCheckpoint(url)
    self.init(
      "residual network", weights: try checkpoint.fingerprint(), network: try checkpoint.network(),
      reader: PictureReader(preprocessor: try checkpoint.preprocessor()))
  }

  /// A residual network where a path is given, else the image tower of a checkpoint.
  ///
  /// - Parameters:
  ///   - model: The checkpoint's folder, or `embedded`.
  ///   - residualNetwork: A safetensors file or its folder.
  ///   - threads: Threads of one op; `nil` leaves them as they are.
  public init(model: String?, residualNetwork: String?, threads: Int? = nil) throws {
    if let threads { try Engine.setThreads(threads) }
    if let residualNetwork {
      try self.init(residualNetwork: URL(fileURLWithPath: residualNetwork))
    } else {
      try self.init(Workbench(model: EmbeddedCheckpoint.resolve(model ?? EmbeddedCheckpoint.name), cache: nil))
    }
  }
}
