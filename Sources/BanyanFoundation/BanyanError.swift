/// An error that says what went wrong, where, and what to do about it.
///
/// Every room throws this one type, so that the command line maps it to an exit code, and the service to a status, in
/// one place. A ``Kind`` says whose move it is; the text is one sentence with the place, what was expected and what was
/// found; the remedy is one more.
///
///     throw BanyanError(.malformed, at: "config.json: vision_config.patch_size", "expected a positive integer, found -3",
///       remedy: "Restore the file from the checkpoint's source.")
public struct BanyanError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Whose move it is.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// The request itself is wrong: an unknown name, an impossible combination.
    case usage
    /// Data or a checkpoint is damaged or not of the expected form.
    case malformed
    /// A file, folder or device that was asked for is absent or unreadable.
    case missingInput
    /// The engine or the device cannot serve.
    case unavailable
    /// The user stopped the work after it was saved.
    case interrupted
    /// The work itself failed: loss diverged, disk full, no permission.
    case failed
  }

  /// Whose move it is.
  public let kind: Kind
  /// The path, key, flag, task or op that is concerned.
  public let subject: String
  /// What was expected and what was found.
  public let message: String
  /// What to do, as a full sentence; empty where nothing can be suggested.
  public let remedy: String

  /// Creates an error about `subject`.
  public init(_ kind: Kind, at subject: String, _ message: String, remedy: String = "") {
    self.kind = kind
    self.subject = subject
    self.message = message
    self.remedy = remedy
  }

  /// `subject: message. Remedy`.
  public var description: String {
    let text = subject.isEmpty ? message : "\(subject): \(message)"
    return remedy.isEmpty ? text : "\(text). \(remedy)"
  }
}
