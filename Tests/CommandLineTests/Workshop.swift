import BanyanCLIP
import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import Foundation

/// A folder with a drawn world and a finished run of every method on the CLIP that ships; made once, then only read.
final class Workshop: Sendable {
  static let methods = ["zero-shot", "coop", "coop-mt", "hipro"]
  static let small = ["--threads", "1", "--shots", "4", "--seeds", "1,2", "--context-length", "2", "--epochs", "3"]
  private static let made = Result { try Workshop() }

  static func open() throws -> Workshop { try made.get() }

  let folder: URL
  let world: PictureWorld
  let trained: [String: Program.Outcome]

  /// The word for the CLIP that ships.
  static let model = EmbeddedCheckpoint.name

  private init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("banyan-command-line-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    atexit { if let workshop = try? Workshop.made.get() { try? FileManager.default.removeItem(at: workshop.folder) } }
    world = try PictureWorld(at: folder.appendingPathComponent("world"))
    var trained: [String: Program.Outcome] = [:]
    for method in Self.methods {
      trained[method] = try Program.run(
        ["train", "--model", Self.model, "--tasks", "world", "--method", method, "--output", "runs/\(method)"]
          + Self.arguments(method), in: folder)
    }
    self.trained = trained
  }

  private static func arguments(_ method: String) -> [String] {
    // Zero-shot has no context and says so.
    method == "zero-shot" ? small.filter { !["--context-length", "2"].contains($0) } : small
  }

  /// `banyan` with these words, from inside the folder.
  func run(_ words: String..., environment: [String: String] = [:]) throws -> Program.Outcome {
    try Program.run(words, in: folder, environment: environment)
  }

  /// The words of a training with small settings; those of `more` win.
  func training(
    _ output: String, model: String? = nil, tasks: String = "world", method: String = "coop", _ more: [String] = []
  ) -> [String] {
    let given = Set(more.filter { $0.hasPrefix("--") })
    var words: [String] = []
    for index in stride(from: 0, to: Self.small.count, by: 2) where !given.contains(Self.small[index]) {
      words += [Self.small[index], Self.small[index + 1]]
    }
    return ["train", "--model", model ?? Self.model, "--tasks", tasks, "--method", method, "--output", output]
      + words + more
  }

  func train(
    _ output: String, model: String? = nil, tasks: String = "world", method: String = "coop", _ more: [String] = []
  ) throws -> Program.Outcome {
    try Program.run(training(output, model: model, tasks: tasks, method: method, more), in: folder)
  }

  func record(_ run: String) throws -> RunRecord { try RunRecord.read(folder.appendingPathComponent(run)) }
  func bytes(_ path: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(path)) }
  func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(path).path)
  }

  /// Waits until a process that has begun a run is in the middle of its steps.
  func awaitSteps(of run: String, by running: Program.Running) {
    var status: LiveStatus? { try? LiveStatus.read(folder.appendingPathComponent(run)) }
    eventually(within: 10) { status?.phase == "Training" || !running.process.isRunning }
    // The status is written twice a second: the first steps are taken unseen.
    eventually(within: 0.2) { status?.latest != nil || !running.process.isRunning }
  }

  /// A copy of a checkpoint, the tiny CLIP where none is named, that a test may damage.
  func modelCopy(_ name: String, of checkpoint: URL = TinyCLIP.folder()) throws -> URL {
    let copy = folder.appendingPathComponent(name)
    try FileManager.default.copyItem(at: checkpoint, to: copy)
    return copy
  }

  /// A world of few pictures that one test has for itself and may damage; a name that another test has is refused.
  @discardableResult func smallWorld(
    _ name: String, tasks: [String] = ["ink", "watercolour"], classes: [String] = ["fish", "key", "mug"],
    perClass: Int = 10, seed: UInt64 = 1
  ) throws -> PictureWorld {
    let root = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
    return try PictureWorld(at: root, tasks: tasks, classes: classes, perClass: perClass, seed: seed)
  }

  /// The files of a run with the bytes that two equal runs share.
  func lasting(_ run: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    let root = folder.appendingPathComponent(run)
    for case let name as String in FileManager.default.enumerator(atPath: root.path) ?? .init() {
      let file = root.appendingPathComponent(name)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue else {
        continue
      }
      // Times and the command line stand in these two; the record is compared apart.
      let isTimed = ["record.json", "result.json"].contains(file.lastPathComponent)
      files[name] = isTimed ? Data() : try Data(contentsOf: file)
    }
    return files
  }
}
