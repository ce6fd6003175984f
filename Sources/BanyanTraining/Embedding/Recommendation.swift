import BanyanFoundation
import BanyanPrompts
public import BanyanReports
public import BanyanStructure
public import BanyanTasks
import BanyanTensor
import Foundation

/// Says which of some experts should serve a new task: by the distance of embeddings, or by what earlier tasks have taught.
public struct Recommendation {
  private let experts: [Expert]
  private let targets: [Expert.Target]
  private let embedder: Task2Vec
  private let seed: UInt64
  private let alpha: Double
  private let observer: ExperimentObserver

  /// Prepares the comparison of experts for the tasks of a suite.
  ///
  /// - Parameters:
  ///   - experts: All of one checkpoint.
  ///   - suite: The new tasks.
  ///   - samples: How much of each new task is at hand.
  ///   - seed: Of everything that is drawn.
  ///   - settings: How embeddings are made.
  ///   - alpha: Of the asymmetric distance.
  ///   - bench: The experts' checkpoint.
  ///   - observer: Who is told how it goes and may stop it.
  public init(
    _ experts: [Expert], suite: TaskSuite, samples: SamplingAmount, seed: UInt64, settings: EmbeddingSettings,
    alpha: Double = EmbeddingDistance.defaultAlpha, bench: Workbench,
    observer: ExperimentObserver = ExperimentObserver()
  ) throws {
    guard !experts.isEmpty else { throw BanyanError(.usage, at: "--run", "there is no expert to choose from") }
    guard alpha.isFinite else { throw BanyanError(.usage, at: "--alpha \(alpha)", "expected a finite number") }
    // Two runs may lie in folders of one name: what tells them apart is added.
    let names = experts.map(\.name)
    self.experts = experts.enumerated().map { place, expert in
      names.count { $0 == expert.name } == 1
        ? expert : expert.named("\(expert.run.folder.url.standardizedFileURL.path)/\(expert.task), \(place + 1)")
    }
    (self.seed, self.alpha, self.observer) = (seed, alpha, observer)
    embedder = try Task2Vec(Probe(bench), settings)
    let splits = try suite.split(SamplingPlan(amount: samples, validationShots: 0, seed: seed))
    let table = try FeatureTable(
      splits.flatMap { $0.train + $0.test }, suite: suite, extractor: bench.extractor, view: .centre,
      progress: { observer.report(.features(done: $0, total: $1)) }, shouldStop: observer.shouldStop)
    targets = try splits.enumerated().map { index, split in
      Expert.Target(
        split, classNames: try suite.task(named: split.task).classNames,
        train: try table.batch(split.train, task: index), test: try table.batch(split.test, task: index))
    }
  }

  /// The names of the tasks.
  public var tasks: [String] { targets.map(\.task) }

  /// What is known before a selection.
  public struct Comparison: Sendable {
    /// Of the experts' own tasks, in the order of the columns.
    public var experts: [TaskEmbedding]
    /// Of the new tasks, in the order of the rows.
    public var tasks: [TaskEmbedding]
    /// Distances, errors and what is allowed; the nearest expert is selected.
    public var matrix: ExpertMatrix
  }

  /// What a comparison keeps while it goes on, so that a stopped one does nothing twice.
  public struct Keeping {
    /// Called with the errors by task and expert whenever a task is done.
    public var errors: ([String: [String: Double?]]) throws -> Void
    /// Called with the embeddings by what they were made of whenever there is a new one.
    public var embeddings: ([String: TaskEmbedding]) throws -> Void

    /// Says what is done with what is known.
    public init(
      errors: @escaping ([String: [String: Double?]]) throws -> Void = { _ in },
      embeddings: @escaping ([String: TaskEmbedding]) throws -> Void = { _ in }
    ) {
      (self.errors, self.embeddings) = (errors, embeddings)
    }
  }

  /// Embeds everything and selects the nearest expert for every task.
  ///
  /// - Parameters:
  ///   - measuring: Whether every expert's error on every task is measured too.
  ///   - errors: What is known of them, by task and expert.
  ///   - embeddings: What is known of them, by what they were made of.
  ///   - command: What was typed, for the record.
  ///   - save: What is done with what becomes known.
  public func compare(
    measuring: Bool, errors: [String: [String: Double?]] = [:], embeddings: [String: TaskEmbedding] = [:],
    command: [String], save: Keeping = Keeping()
  ) throws -> Comparison {
    var kept = embeddings
    func embedding(_ subject: Task2Vec.Subject, _ identity: String) throws -> TaskEmbedding {
      if var known = kept[identity] {
        known.task = subject.name
        return known
      }
      observer.report(.phase("Embedding \(subject.name)"))
      let found = try embedder.embed(
        subject, seed: seed, progress: { observer.report(.counted(done: $0, total: $1)) },
        shouldStop: observer.shouldStop)
      kept[identity] = found
      try save.embeddings(kept)
      return found
    }
    let expertEmbeddings = try experts.map { try embedding($0.subject(), $0.identity) }
    let taskEmbeddings = try targets.map { try embedding($0.subject(), $0.identity) }
    let distances = try taskEmbeddings.map { task in
      try expertEmbeddings.map { try $0.asymmetricDistance(to: task, alpha: alpha) }
    }
    // Whoever has learned from a picture of the task would be no advice for a new one.
    let learned = experts.map(\.trainingDigests)
    let isAllowed = targets.map { target in learned.map { $0.isDisjoint(with: target.digests) } }
    let errors = measuring ? try measured(errors, save: save) : errors
    let selected = distances.indices.map { row in
      experts.indices.filter { isAllowed[row][$0] }.min { (distances[row][$0], $0) < (distances[row][$1], $1) }
    }
    return Comparison(
      experts: expertEmbeddings, tasks: taskEmbeddings,
      matrix: ExpertMatrix(
        command: command, tasks: targets.map(\.task), experts: experts.map(\.name), distances: distances,
        errors: targets.map { target in experts.map { errors[target.task]?[$0.name] ?? nil } }, isAllowed: isAllowed,
        selected: selected, rule: "asymmetric distance (α = \(alpha))"))
  }

  private func measured(_ known: [String: [String: Double?]], save: Keeping) throws -> [String: [String: Double?]] {
    var errors = known
    let total = targets.count * experts.count
    observer.report(.phase("Errors of \(experts.count) experts on \(targets.count) tasks"))
    for (row, target) in targets.enumerated() {
      var own = errors[target.task] ?? [:]
      for (column, expert) in experts.enumerated() where own[expert.name] == nil {
        if observer.shouldStop() {
          errors[target.task] = own
          try save.errors(errors)
          throw BanyanError(.interrupted, at: "errors of experts", "stopped at \(target.task)")
        }
        own[expert.name] = .some(try expert.error(on: target))
        observer.report(.counted(done: row * experts.count + column + 1, total: total))
      }
      errors[target.task] = own
      try save.errors(errors)
    }
    return errors
  }
}

extension Recommendation.Comparison {
  /// The matrix in which each task's expert is selected by ``Model2Vec`` after learning from all other tasks.
  ///
  /// - Returns: `nil` where fewer than three tasks have errors to learn from.
  public func leaveOneOut(_ settings: Model2Vec.Settings = Model2Vec.Settings()) throws -> ExpertMatrix? {
    let asked = matrix.tasks.indices.map { row in
      matrix.experts.indices.map { matrix.isAllowed[row][$0] ? matrix.errors[row][$0] : nil }
    }
    let rows = asked.indices.filter { asked[$0].contains { $0 != nil } }
    guard rows.count > 2 else { return nil }
    let learner = try Model2Vec(tasks: rows.map { tasks[$0] }, models: experts, settings: settings)
    let picks = try learner.leaveOneOut(errors: rows.map { asked[$0] }, embeddings: rows.map { tasks[$0] })
    var learned = matrix
    for (row, pick) in zip(rows, picks) { learned.selected[row] = pick }
    learned.rule = "Model2Vec, learned from all other tasks"
    return learned
  }
}
