public import BanyanCLIP
import BanyanFoundation
public import BanyanStructure
public import BanyanTasks

/// A task as a method sees it: names and words, no pictures.
public struct PromptTask: Sendable, Equatable {
  /// The task's name.
  public var name: String
  /// The class names, in the order of the labels.
  public var classNames: [String]
  /// Sentences with `{}` for the class name; empty where the caller's default serves.
  public var templates: [String]
  /// Words that a context starts from, where the task wishes some.
  public var initialWords: String?

  /// Creates a task from names.
  public init(name: String, classNames: [String], templates: [String] = [], initialWords: String? = nil) {
    self.name = name
    self.classNames = classNames
    self.templates = templates
    self.initialWords = initialWords
  }

  /// The words of a task on disk.
  public init(_ task: ClassificationTask) {
    self.init(
      name: task.name, classNames: task.classNames, templates: task.templates, initialWords: task.initialWords)
  }
}

/// All that a method is built from: the frozen model, the tasks' words and, where it asks for one, the tree of tasks.
public struct MethodContext: Sendable {
  /// The frozen CLIP.
  public var model: CLIPModel
  /// Words to token ids.
  public var tokenizer: CLIPTokenizer
  /// The tasks, in the order of the run.
  public var tasks: [PromptTask]
  /// The tree of tasks, for methods that need one.
  public var tree: TaskTree?
  /// The groups of tasks, for methods that need them.
  public var groups: TaskGroups?
  /// How class names are encoded.
  public var encodingPath: TextTower.EncodingPath
  /// How pictures are encoded, where something of the image tower is learned.
  public var imagePath: ImageTower.EncodingPath
  /// Up to how many bytes of activations a step may keep; beyond, class names are encoded in chunks.
  public var activationBudget: Int

  /// Creates a context.
  public init(
    model: CLIPModel, tokenizer: CLIPTokenizer, tasks: [PromptTask], tree: TaskTree? = nil,
    groups: TaskGroups? = nil, encodingPath: TextTower.EncodingPath = .fused,
    imagePath: ImageTower.EncodingPath = .fused, activationBudget: Int = 530 << 20
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.tasks = tasks
    self.tree = tree
    self.groups = groups
    self.encodingPath = encodingPath
    self.imagePath = imagePath
    self.activationBudget = activationBudget
  }

  /// The same context in which one model serves all tasks.
  public func withOneForAll() throws -> MethodContext {
    var copy = self
    copy.tree = try .single(tasks.map(\.name))
    copy.groups = try .allInOne(tasks.map(\.name))
    return copy
  }

  /// The groups that a method was promised.
  ///
  /// - Throws: A `BanyanError` where there are none, or where they are not of the tasks.
  public func requireGroups() throws -> TaskGroups {
    guard let groups else {
      throw BanyanError(.usage, at: "task groups", "the method needs groups of tasks and was given none")
    }
    guard groups.names == tasks.map(\.name) else {
      throw BanyanError(
        .usage, at: "task groups",
        "expected the tasks \(tasks.map(\.name).joined(separator: ", ")), found \(groups.names.joined(separator: ", "))"
      )
    }
    return groups
  }

  /// The tree that a method was promised.
  ///
  /// - Throws: A `BanyanError` where there is none, or where its leaves are not the tasks.
  public func requireTree() throws -> TaskTree {
    guard let tree else {
      throw BanyanError(.usage, at: "task tree", "the method needs a tree of tasks and was given none")
    }
    guard tree.names == tasks.map(\.name) else {
      throw BanyanError(
        .usage, at: "task tree",
        "expected the tasks \(tasks.map(\.name).joined(separator: ", ")), found \(tree.names.joined(separator: ", "))")
    }
    return tree
  }
}
