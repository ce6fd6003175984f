import BanyanFoundation
package import BanyanTensor
package import Foundation

/// Safetensors files that carry the digest of their own contents.
///
/// A header cannot show that a weight has changed on the disk; the seal can, so that a damaged file is an error and never
/// another answer. Any safetensors reader reads the files: the seal is one text of their metadata.
package enum SealedTensors {
  private static let key = "sha256"

  /// The bytes of a file that holds `tree`, with the digest of what they would be without it.
  package static func encode(_ tree: ParameterTree, metadata: [String: String]) throws -> Data {
    var sealed = metadata
    sealed[key] = ContentHash.sha256(try SafetensorsFile.encode(tree, metadata: metadata))
    return try SafetensorsFile.encode(tree, metadata: sealed)
  }

  /// Reads a file that ``encode(_:metadata:)`` made.
  ///
  /// - Returns: The tensors, the other metadata, and the digest.
  /// - Throws: A `BanyanError` of kind `missingInput` or `malformed` that names the file.
  package static func read(_ url: URL, remedy: String) throws
    -> (tree: ParameterTree, metadata: [String: String], digest: String)
  {
    let file = try SafetensorsFile(contentsOf: url)
    let tree = try file.tree()
    var metadata = file.metadata
    guard let digest = metadata.removeValue(forKey: key),
      digest == ContentHash.sha256(try SafetensorsFile.encode(tree, metadata: metadata))
    else {
      throw BanyanError(.malformed, at: url.path, "the contents do not fit the file's checksum", remedy: remedy)
    }
    return (tree, metadata, digest)
  }
}
