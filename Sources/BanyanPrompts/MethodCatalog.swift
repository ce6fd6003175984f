public import BanyanFoundation

/// All methods by name.
public enum MethodCatalog {
  /// One line per method.
  public static let entries: [Entry] = [
    Entry(ZeroShot.self),
    Entry(CoOp.self),
    Entry(CoOpMT.self),
    Entry(HiPro.self),
  ]

  /// A method without its type: what the command line and the trainer handle.
  public struct Entry: Sendable {
    /// Name, paper and options.
    public let descriptor: MethodDescriptor
    /// Whether the context must carry a tree of tasks.
    public let needsTree: Bool
    /// The configuration where nothing is set, as JSON.
    public let defaults: JSONValue
    /// Builds the method from the differences to its defaults.
    public let make: @Sendable (_ options: JSONValue, _ context: MethodContext) throws -> any PromptMethod
    /// Checks options and gives them back in full.
    public let resolve: @Sendable (_ options: JSONValue) throws -> JSONValue

    init<Method: PromptMethod>(_ type: Method.Type) {
      let subject = "options of \(type.descriptor.name)"
      descriptor = type.descriptor
      needsTree = type.needsTree
      defaults = (try? JSONValue(encoding: type.defaults)) ?? .object([:])
      make = { options, context in
        try Method(Settings.apply(options, to: type.defaults, subject: subject), context: context)
      }
      resolve = { options in
        try JSONValue(encoding: Settings.apply(options, to: type.defaults, subject: subject))
      }
    }
  }

  /// The method called `name`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` with the near names.
  public static func entry(_ name: String) throws -> Entry {
    guard let entry = entries.first(where: { $0.descriptor.name == name }) else {
      throw BanyanError(
        .usage, at: "--method \(name)", "there is no such method",
        remedy: NearNames.remedy(for: name, among: entries.map(\.descriptor.name)))
    }
    return entry
  }
}
