extension CLIPTokenizer {
  /// One text as the text tower takes it.
  public struct Encoding: Sendable, Equatable {
    /// Start, tokens, end; not padded, at most the context length.
    public let ids: [Int32]
    /// How many of the text's tokens did not fit.
    public let droppedTokens: Int

    /// Whether the text did not fit whole.
    public var isTruncated: Bool { droppedTokens > 0 }
  }
}
