import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import BanyanTraining
import Foundation

/// How cost grows with each quantity that a user chooses: one sweep a quantity, this side alone.
struct Growth: Codable {
  /// One quantity's sweep.
  struct Series: Codable {
    var name: String
    /// What is counted and what is timed.
    var title: String
    var points: [Point] = []

    /// The exponent of the power law `seconds ∝ x^e` through all points: the slope of the line through their logarithms.
    var exponent: Double {
      let logs = points.map { (x: log($0.x), y: log($0.seconds)) }
      let count = Double(max(1, logs.count))
      let (x, y) = (logs.reduce(0) { $0 + $1.x } / count, logs.reduce(0) { $0 + $1.y } / count)
      let spread = logs.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
      return spread > 0 ? logs.reduce(0) { $0 + ($1.x - x) * ($1.y - y) } / spread : 0
    }
  }

  struct Point: Codable {
    var x: Double
    var seconds: Double
    /// The largest resident size of the process while it worked, in bytes.
    var memory: Int
  }

  private(set) var series: [Series] = []

  /// Runs all sweeps; `show` gets a line for every point.
  init(_ rig: Rig, show: (String) -> Void) throws {
    try sweep("classes", "a CoOp step, by classes", over: [10, 100, 1_000, 10_000], show) { count in
      try Self.step("coop", rig.context([rig.task("t0", classes: count)]), tasks: 1, classes: count)
    }
    try sweep(
      "tasks", "a HiPro step of tasks with the same 100 classes, balanced tree, by tasks (3 to 127 nodes)",
      over: [2, 4, 8, 16, 32, 64], show
    ) {
      try Self.treeStep(rig, tasks: $0, classes: 100, newick: Self.balanced(0..<$0) + ";")
    }
    try sweep(
      "own", "the same with 100 classes of each task's own (4 to 448 lists of names under a node's prompt)",
      over: [2, 4, 8, 16, 32, 64], show
    ) {
      try Self.treeStep(rig, tasks: $0, classes: 100, newick: Self.balanced(0..<$0) + ";", haveOwnNames: true)
    }
    try sweep(
      "affinity", "one recorded step of an affinity, 100 classes of each task's own, by tasks", over: [2, 4, 8, 16],
      show
    ) { count in
      let list = (0..<count).map { rig.task("t\($0)", classes: 100, number: $0) }
      return try Self.step("coop-mt", rig.context(list), tasks: count, classes: 100, apart: true)
    }
    try sweep("shots", "an epoch of CoOp with 10 classes, by shots", over: [1, 4, 16, 64], show) { shots in
      let step = try Self.step("coop", rig.context([rig.task("t0", classes: 10)]), tasks: 1, classes: 10)
      return { for _ in 0..<(10 * shots + 31) / 32 { try step() } }
    }
    let trees = [1: "(t0,t1,t2,t3,t4,t5,t6,t7);", 3: Self.balanced(0..<8) + ";", 7: Self.caterpillar(8) + ";"]
    try sweep(
      "depth", "a HiPro step of 8 tasks with 65 classes, by the depth of the tree (9, 15, 15 nodes)", over: [1, 3, 7],
      show
    ) {
      try Self.treeStep(rig, tasks: 8, classes: 65, newick: trees[$0] ?? "")
    }
    try sweep("image", "image features of 8 pictures, by their side in pixels", over: [112, 224, 448], show) { side in
      let model = try rig.model(imageSize: side)
      let pixels = try EngineGenerator(seed: 1).normal([8, 3, side, side])
      return { _ = try Engine.withoutGradients { try model.image.features(pixels).sum().item() } }
    }
  }

  private mutating func sweep(
    _ name: String, _ title: String, over values: [Int], _ show: (String) -> Void,
    _ make: (Int) throws -> () throws -> Void
  ) throws {
    var series = Series(name: name, title: title)
    show("\(title)")
    for value in values {
      let work = try make(value)
      Stopwatch.resetPeakMemory()
      var seconds = try Self.timed(work)
      // The first time counts what is made once, which is nothing beside a minute.
      if seconds < 60 {
        Stopwatch.resetPeakMemory()
        seconds = try seconds > 15 ? Self.timed(work) : CaseResult.median((0..<3).map { _ in try Self.timed(work) })
      }
      series.points.append(Point(x: Double(value), seconds: seconds, memory: Stopwatch.peakMemory))
      let last = series.points[series.points.count - 1]
      show(String(format: "  %6d  %8.3f s  %5.0f MiB", value, last.seconds, Double(last.memory) / 1_048_576))
    }
    show(String(format: "  exponent %.2f", series.exponent))
    self.series.append(series)
  }

  private static func timed(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  private static func treeStep(
    _ rig: Rig, tasks: Int, classes: Int, newick: String, haveOwnNames: Bool = false
  ) throws -> () throws -> Void {
    let names = (0..<tasks).map { "t\($0)" }
    let tree = try TaskTree(newick: newick, names: names)
    let list = names.enumerated().map { rig.task($1, classes: classes, number: haveOwnNames ? $0 : 0) }
    return try step("hipro", rig.context(list, tree: tree), tasks: tasks, classes: classes)
  }

  /// A step of a method on features, which are drawn, or the gradients of its tasks apart.
  private static func step(
    _ name: String, _ context: MethodContext, tasks: Int, classes: Int, apart: Bool = false
  ) throws -> () throws -> Void {
    let method = try MethodCatalog.entry(name).make(.object([:]), context)
    let leaves = try method.selection.split(method.initialParameters(seed: 1)).trainable
      .mapTensors { try $1.asParameter() }
    let generator = try EngineGenerator(seed: 3)
    let batches = try (0..<tasks).map { task in
      TaskBatch(
        task: task,
        features: try generator.normal([32, context.model.configuration.projectionWidth]).normalized(),
        labels: try .indices((0..<32).map { (7 * $0 + task) % classes }))
    }
    return {
      let outcomes = try apart ? method.taskGradients(leaves, batches) : [method.step(leaves, batches)]
      for outcome in outcomes { _ = try outcome.gradients.tensors.map { try $0.sum().item() } }
    }
  }

  private static func balanced(_ tasks: Range<Int>) -> String {
    guard tasks.count > 1 else { return "t\(tasks.lowerBound)" }
    let middle = tasks.lowerBound + tasks.count / 2
    return "(\(balanced(tasks.lowerBound..<middle)),\(balanced(middle..<tasks.upperBound)))"
  }

  private static func caterpillar(_ tasks: Int) -> String {
    (2..<tasks).reduce("(t0,t1)") { "(\($0),t\($1))" }
  }

  var markdown: String {
    var lines = ["| what | at | seconds | peak memory | exponent |", "|---|---|---|---|---:|"]
    for one in series {
      func cell(_ text: (Point) -> String) -> String { one.points.map(text).joined(separator: " · ") }
      let places = cell { String(format: "%.0f", $0.x) }
      let seconds = cell { String(format: $0.seconds < 10 ? "%.2f" : "%.0f", $0.seconds) }
      let memory = cell { String(format: "%.1f GB", Double($0.memory) / 1e9) }
      lines.append("| \(one.title) | \(places) | \(seconds) | \(memory) | \(String(format: "%.2f", one.exponent)) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
