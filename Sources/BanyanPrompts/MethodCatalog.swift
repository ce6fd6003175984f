public import BanyanFoundation
import Synchronization

/// All methods by name.
public enum MethodCatalog {
  /// One line per method.
  private static let own: [Entry] = [
    Entry(ZeroShot.self),
    Entry(CoOp.self),
    Entry(CoOpMT.self),
    Entry(HiPro.self),
    Entry(MmAP.self),
    Entry(JointPrompts.self),
    Entry(MLPPrompts.self),
    Entry(VPT.self),
    Entry(VPTMT.self),
    Entry(MaPLe.self),
    Entry(MaPLeMT.self),
    Entry(MVLPT.self),
    Entry(BitFit.self),
    Entry(FineTuning.self),
    Entry(FineTuningMT.self),
    Entry(LoRA.self),
    Entry(LinearProbe.self),
    Entry(CLIPAdapter.self),
    Entry(TipAdapter.self),
    Entry(TipAdapterF.self),
  ]

  private static let registered = Mutex<[Entry]>([])

  /// All methods: Banyan's own and those that the program has registered.
  public static var entries: [Entry] { own + registered.withLock { $0 } }

  /// Makes a method of your own known to experiments, before the first one runs.
  ///
  /// In Banyan itself a method is one line of the list above instead.
  ///
  /// - Throws: A `BanyanError` where a method has that name already.
  public static func register<Method: PromptMethod>(_ type: Method.Type) throws {
    let name = type.descriptor.name
    try registered.withLock { list in
      guard !(own + list).contains(where: { $0.descriptor.name == name }) else {
        throw BanyanError(
          .usage, at: "method \(name)", "there is a method of that name", remedy: "Choose another name.")
      }
      list.append(Entry(type))
    }
  }

  /// A method without its type: what the command line and the trainer handle.
  public struct Entry: Sendable {
    /// Name, paper and options.
    public let descriptor: MethodDescriptor
    /// What the context must say about how the tasks belong together, under options.
    public let structure: @Sendable (_ options: JSONValue) throws -> TaskStructure
    /// The configuration where nothing is set, as JSON.
    public let defaults: JSONValue
    /// Builds the method from the differences to its defaults.
    public let make: @Sendable (_ options: JSONValue, _ context: MethodContext) throws -> any PromptMethod
    /// Builds the method as one model for all tasks, by whose gradients they are compared.
    public let makeShared: @Sendable (_ options: JSONValue, _ context: MethodContext) throws -> any PromptMethod
    /// Checks options and gives them back in full.
    public let resolve: @Sendable (_ options: JSONValue) throws -> JSONValue

    init<Method: PromptMethod>(_ type: Method.Type) {
      let subject = "options of \(type.descriptor.name)"
      descriptor = type.descriptor
      structure = { options in type.structure(try Settings.apply(options, to: type.defaults, subject: subject)) }
      defaults = (try? JSONValue(encoding: type.defaults)) ?? .object([:])
      make = { options, context in
        try Method(Settings.apply(options, to: type.defaults, subject: subject), context: context)
      }
      makeShared = { options, context in
        let configuration = try Settings.apply(options, to: type.defaults, subject: subject)
        return try Method(type.shared(configuration), context: context)
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
