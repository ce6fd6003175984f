import Crypto
public import Foundation

/// SHA-256 of bytes and files, as lower-case hexadecimal text.
public enum ContentHash {
  /// The digest of `data`.
  public static func sha256(_ data: Data) -> String {
    hex(SHA256.hash(data: data))
  }

  /// The digest of a text's UTF-8 bytes.
  public static func sha256(_ text: String) -> String {
    sha256(Data(text.utf8))
  }

  /// The digest of the file at `url`; read in pieces, so that memory stays flat.
  public static func sha256(file url: URL) throws -> String {
    guard let handle = try? FileHandle(forReadingFrom: url) else {
      throw BanyanError(.missingInput, at: url.path, "cannot be read")
    }
    defer { try? handle.close() }
    var hash = SHA256()
    do {
      while let piece = try handle.read(upToCount: 1 << 22), !piece.isEmpty { hash.update(data: piece) }
    } catch {
      throw BanyanError(.missingInput, at: url.path, "cannot be read to its end: \(error)")
    }
    return hex(hash.finalize())
  }

  private static func hex(_ digest: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in digest {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
