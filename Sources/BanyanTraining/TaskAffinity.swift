import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTasks
import BanyanTensor

/// How alike the tasks of an experiment are, by what its settings ask for: gradients (``AffinityProbe``) or embeddings
/// (``Task2Vec``).
struct TaskAffinity {
  let experiment: Experiment
  let entry: MethodCatalog.Entry
  let bench: Workbench
  let observer: ExperimentObserver

  /// The affinity of the tasks of `context`, with the pictures of each in `data`.
  func measure(_ context: MethodContext, data: [TaskBatch], seed: UInt64) throws -> AffinityMatrix {
    let structure = try entry.structure(experiment.options)
    if experiment.affinity.kind(for: structure) == .task2vec { return try embedded(context, data: data, seed: seed) }
    let probe = try entry.makeShared(experiment.options, context.withOneForAll())
    return try AffinityProbe(experiment.affinity, training: experiment.training, structure: structure).measure(
      probe, data: data, names: context.tasks.map(\.name), seed: seed,
      progress: { observer.report(.counted(done: $0, total: $1)) }, shouldStop: observer.shouldStop)
  }

  /// By embeddings of the tasks, with the image tower as their probe.
  private func embedded(_ context: MethodContext, data: [TaskBatch], seed: UInt64) throws -> AffinityMatrix {
    let embedder = try Task2Vec(Probe(bench), experiment.affinity.embedding)
    let draws = data.count * experiment.affinity.embedding.draws
    let embeddings = try zip(context.tasks, data).enumerated().map { index, pair in
      let (task, batch) = pair
      guard let pictures = batch.pictures else {
        throw BanyanError(.failed, at: task.name, "an embedding needs the task's pictures")
      }
      return try embedder.embed(
        .init(
          name: task.name, pictures: pictures, labels: batch.labels.integers().map(Int.init),
          classes: task.classNames.count), seed: seed,
        progress: {
          observer.report(.counted(done: index * draws / data.count + $0 * draws / data.count / $1, total: draws))
        },
        shouldStop: observer.shouldStop)
    }
    return try AffinityMatrix(embeddings: embeddings)
  }
}
