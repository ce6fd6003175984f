/// What a method is called, where it comes from and what may be set: all that help texts and tables say about it.
public struct MethodDescriptor: Sendable, Equatable, Codable {
  /// One setting of a method's configuration.
  public struct Option: Sendable, Equatable, Codable {
    /// The dotted key below the method's options, such as `context.length`.
    public var key: String
    /// What it does, in one sentence.
    public var help: String

    /// Creates the description of an option.
    public init(_ key: String, _ help: String) {
      self.key = key
      self.help = help
    }
  }

  /// The name on the command line and in files, such as `coop-mt`.
  public var name: String
  /// The name in tables, such as `CoOp-MT`.
  public var title: String
  /// What it does, in one sentence.
  public var summary: String
  /// Authors, title, place and year.
  public var paper: String
  /// Every key of the method's configuration.
  public var options: [Option]

  /// Creates a description.
  public init(name: String, title: String, summary: String, paper: String, options: [Option]) {
    self.name = name
    self.title = title
    self.summary = summary
    self.paper = paper
    self.options = options
  }
}
