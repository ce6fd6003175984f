public import BanyanCLIP

/// A way through the text tower and one through the image tower.
public struct EncodingWays: Hashable, Sendable, CustomStringConvertible {
  /// Through the text tower.
  public let text: TextTower.EncodingPath
  /// Through the image tower.
  public let image: ImageTower.EncodingPath

  /// Creates a pair.
  public init(text: TextTower.EncodingPath = .fused, image: ImageTower.EncodingPath = .fused) {
    self.text = text
    self.image = image
  }

  /// What runs take by default.
  public static let fast = EncodingWays()
  /// Everything out of single ops, as published.
  public static let plain = EncodingWays(text: .plain, image: .plain)
  /// Every way through either tower at least once, the fast one first.
  public static let all = [fast, plain, EncodingWays(text: .sharedPrefix, image: .plain)]

  /// What a ``TinyCLIP`` encodes in where a test says nothing else.
  @TaskLocal public static var current = fast

  public var description: String { "text \(text.rawValue), image \(image.rawValue)" }
}
