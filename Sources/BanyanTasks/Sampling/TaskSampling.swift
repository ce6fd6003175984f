import BanyanFoundation

extension TaskSuite {
  /// Draws what each task trains, validates and tests on.
  ///
  /// Per class, images are ranked by (seed, task name, class name, content). Training takes the first, so the k-shot
  /// draw is the beginning of the 2k-shot draw; validation takes the last, so it stays the same while the shots grow;
  /// where the source gives no test split, testing takes what is between. Where it gives splits, training and
  /// validation come from its train split (validation from its own where there is one) and testing is as given. Files
  /// of one content are one unit and never on two sides; training and validation hold one file of it, testing all.
  /// What any task learns from or validates on is tested on by none, since prompts may be shared: a drawn test leaves it
  /// out.
  ///
  /// - Parameters:
  ///   - plan: How much is drawn, and the seed.
  ///   - dropDuplicates: Whether given tests leave such pictures out too, instead of being refused.
  /// - Throws: A `BanyanError`: `usage` where the plan is out of range or a class has too few images, with what would
  ///   work; `malformed` where a label has no class or one content is on two sides or under two labels.
  public func split(_ plan: SamplingPlan, dropDuplicates: Bool = false) throws -> [TaskSplit] {
    try plan.validate()
    var names: Set<String> = []
    for task in tasks {
      guard names.insert(task.name).inserted else {
        throw BanyanError(.malformed, at: "task \(task.name)", "two tasks have this name", remedy: "Rename one.")
      }
    }
    let samplings = try tasks.map { try TaskSampling($0, plan: plan) }
    let unmet = samplings.flatMap(\.demands).filter { !$0.isMet }
    // The smallest class says what would work for all of them.
    if let worst = unmet.min(by: { ($0.available - $0.test, $0.task) < ($1.available - $1.test, $1.task) }) {
      throw worst.shortage(plan, others: unmet.count - 1)
    }
    return try Self.withoutForeignTraining(
      samplings.map { ($0.hasTest && !dropDuplicates, try $0.split()) })
  }

  /// The splits without test pictures that another task learns from or validates on.
  private static func withoutForeignTraining(_ splits: [(isGiven: Bool, split: TaskSplit)]) throws -> [TaskSplit] {
    var learned: [String: (task: String, path: String)] = [:]
    for (_, split) in splits {
      for sample in split.train + split.validation { learned[sample.sha256] = (split.task, sample.path) }
    }
    return try splits.map { isGiven, split in
      var split = split
      if isGiven, let sample = split.test.first(where: { learned[$0.sha256] != nil }),
        let other = learned[sample.sha256]
      {
        throw BanyanError(
          .malformed, at: "task \(split.task)",
          "\(sample.path) (test) and \(other.path) (learned from by task \(other.task)) have the same content",
          remedy: "Take one out, or leave such test pictures out with --drop-duplicates.")
      }
      split.test.removeAll { learned[$0.sha256] != nil }
      guard !split.test.isEmpty else {
        throw BanyanError(
          .malformed, at: "task \(split.task)", "no test picture is left that no other task learns from",
          remedy: "Leave one of the tasks out, or give splits.")
      }
      return split
    }
  }
}

/// One task on its way to a split: its classes ranked and what is asked of each.
struct TaskSampling {
  let demands: [ClassDemand]
  private let task: ClassificationTask
  private let plan: SamplingPlan
  private let draws: [ClassDraw]
  /// Ranked images of the given validation split; empty where there is none.
  private let givenValidation: [ClassDraw]
  let hasTest: Bool

  init(_ task: ClassificationTask, plan: SamplingPlan) throws {
    self.task = task
    self.plan = plan
    let hasValidation = task.samples.contains { $0.split == .validation }
    hasTest = task.samples.contains { $0.split == .test }
    if plan.amount == .all && !hasTest {
      throw BanyanError(
        .usage, at: "task \(task.name)", "all images are asked for, but the source gives no test split",
        remedy: "Ask for shots or a percentage, so that the rest is tested on.")
    }
    var pools = [[Sample]](repeating: [], count: task.classNames.count)
    var validation = pools
    for sample in task.samples {
      guard pools.indices.contains(sample.label) else {
        throw BanyanError(
          .malformed, at: "task \(task.name): \(sample.path)",
          "label out of range: \(sample.label) where there are \(pools.count) classes")
      }
      switch sample.split {
      case .train, nil: pools[sample.label].append(sample)
      case .validation: validation[sample.label].append(sample)
      case .test: break
      }
    }
    func ranked(_ pools: [[Sample]]) -> [ClassDraw] {
      zip(pools, task.classNames).map { ClassDraw($0, seed: plan.seed, task: task.name, className: $1) }
    }
    draws = ranked(pools)
    givenValidation = hasValidation ? ranked(validation) : []
    let drawsTest = !hasTest
    demands = zip(draws, task.classNames).map { draw, name in
      ClassDemand(
        plan, task: task.name, className: name, available: draw.units.count, drawsValidation: !hasValidation,
        drawsTest: drawsTest)
    }
  }

  func split() throws -> TaskSplit {
    var split = TaskSplit(task: task.name, train: [], validation: [], test: [])
    var rest: Set<String> = []
    for (draw, demand) in zip(draws, demands) {
      split.train += draw.first(demand.train)
      split.validation += draw.last(demand.validation)
      if !hasTest { rest.formUnion(draw.rest(train: demand.train, validation: demand.validation)) }
    }
    for (label, draw) in givenValidation.enumerated() {
      split.validation += draw.first(try givenCount(draw.units.count, label: label))
    }
    // A given validation split never serves as a test, drawn or not.
    split.test = task.samples.filter {
      hasTest ? $0.split == .test : $0.split != .validation && rest.contains($0.sha256)
    }
    try split.checkDisjoint()
    return split
  }

  /// How many of a class's given validation images to take.
  private func givenCount(_ available: Int, label: Int) throws -> Int {
    if let wanted = plan.validationShots {
      guard wanted <= available else {
        throw BanyanError(
          .usage, at: "task \(task.name), class \(task.classNames[label])",
          "expected at least \(wanted) different images in the validation split, found \(available)",
          remedy: "Use at most \(available) validation images.")
      }
      return wanted
    }
    switch plan.amount {
    case .shots(let shots): return min(shots, 4, available)
    case .percentage: return min(max(1, Int((Double(demands[label].train) / 10).rounded())), available)
    case .all: return available
    }
  }
}
