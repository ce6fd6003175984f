import BanyanFoundation
public import Foundation

/// Image features on disk, by the content of the picture, the model and the preprocessing.
///
/// Methods and runs share it, and processes may share it at the same time: an entry is written aside and renamed. Every
/// entry carries a checksum; a damaged one is as good as absent and is made anew.
///
/// Entry: the magic `BNYF1\n`, 64 hexadecimal digits of SHA-256 over the rest, then little-endian floats.
public struct FeatureCache: Sendable {
  private static let magic = Data("BNYF1\n".utf8)
  private static let digestLength = 64
  /// Counts up when the way from pictures to features changes in any bit.
  private static let revision = 2

  /// The folder of this model and preprocessing; `nil` keeps nothing.
  public let folder: URL?
  /// How many numbers a feature has.
  public let width: Int

  /// A cache below `root`; without one nothing is kept.
  ///
  /// - Parameters:
  ///   - root: The folder of all features; ``defaultRoot`` is the usual one.
  ///   - model: The checkpoint's fingerprint.
  ///   - preprocessing: Everything else that changes features, as text.
  ///   - width: How many numbers a feature has.
  public init(root: URL?, model: String, preprocessing: String, width: Int) {
    let key = ContentHash.sha256("\(model)\n\(preprocessing)\n\(width)\nextraction \(Self.revision)")
    folder = root?.appendingPathComponent("features").appendingPathComponent(String(key.prefix(24)))
    self.width = width
  }

  /// The default root: `$BANYAN_CACHE`, else `$XDG_CACHE_HOME/banyan`, else `~/.cache/banyan`.
  public static var defaultRoot: URL {
    let environment = ProcessInfo.processInfo.environment
    if let own = environment["BANYAN_CACHE"], !own.isEmpty { return URL(fileURLWithPath: own) }
    if let base = environment["XDG_CACHE_HOME"], !base.isEmpty {
      return URL(fileURLWithPath: base).appendingPathComponent("banyan")
    }
    return FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/banyan")
  }

  /// The feature stored under `key`; `nil` where there is none or it is damaged.
  public func read(_ key: String) -> [Float]? {
    guard let url = url(key), let data = try? Data(contentsOf: url) else { return nil }
    let head = Self.magic.count + Self.digestLength
    guard data.count == head + width * 4, data.prefix(Self.magic.count) == Self.magic else { return nil }
    let body = data.subdata(in: head..<data.count)
    guard Data(ContentHash.sha256(body).utf8) == data.subdata(in: Self.magic.count..<head) else { return nil }
    return body.withUnsafeBytes { bytes in
      (0..<width).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
  }

  /// Stores a feature under `key`, whole or not at all.
  ///
  /// - Throws: A `BanyanError` of kind `failed` where the disk is full or may not be written.
  public func write(_ feature: [Float], key: String) throws {
    guard let url = url(key) else { return }
    var body = Data(capacity: feature.count * 4)
    for value in feature { withUnsafeBytes(of: value.bitPattern.littleEndian) { body.append(contentsOf: $0) } }
    do {
      try AtomicFile.write(Self.magic + Data(ContentHash.sha256(body).utf8) + body, to: url, flushing: false)
    } catch let error as BanyanError {
      let keepNone = "Keep the features elsewhere with --cache, or nowhere with --no-cache."
      throw BanyanError(
        error.kind, at: error.subject, error.message,
        remedy: error.remedy.isEmpty ? keepNone : error.remedy + " " + keepNone)
    }
  }

  private func url(_ key: String) -> URL? {
    folder?.appendingPathComponent(String(key.prefix(2))).appendingPathComponent(key)
  }
}
