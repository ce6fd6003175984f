public import BanyanReports
import BanyanTasks

extension SweepPlan {
  /// The plan as a table: each run's state, and steps and seconds of what is left to do.
  ///
  /// - Parameters:
  ///   - states: The runs' states, in their order.
  ///   - estimator: How long a run takes, asked after the records of finished runs.
  public func table(states: [SweepState], estimator: SweepEstimator = .unknown) throws -> SweepPlanTable {
    // A run with other settings still tells how long its method takes.
    let records = zip(runs, states).compactMap { run, state -> RunRecord? in
      if case .done(let record) = state { record } else { try? RunRecord.read(run.folder) }
    }
    let times = SweepEstimator.records(records).or(estimator)
    return SweepPlanTable(
      rows: try zip(runs, states).map { run, state in
        var row = SweepPlanTable.Row(
          samples: run.experiment.samples.description, run: run.name, method: run.experiment.method, state: state.name,
          isDone: state.isDone, seeds: run.experiment.seeds.count)
        if case .done(let record) = state {
          row.steps = record.runs.map(\.steps).reduce(0, +)
          row.seconds = record.measured.totalSeconds
        } else {
          row.steps = Self.mostSteps(run.experiment, records)
          row.seconds = try times.seconds(run.experiment)
        }
        return row
      })
  }

  /// The steps of all seeds, at most, where a finished run says how many pictures the tasks have; an epoch passes over
  /// the largest of them.
  private static func mostSteps(_ experiment: Experiment, _ records: [RunRecord]) -> Int? {
    for record in records {
      guard let earlier = try? Experiment(record.experiment, subject: "record"), earlier.tasks == experiment.tasks,
        earlier.data.only == experiment.data.only, earlier.samples == experiment.samples
      else { continue }
      let largest = record.tasks.values.map(\.trainSamples).max() ?? 0
      let batch = experiment.training.batchSize
      return (largest + batch - 1) / batch * experiment.training.epochs * experiment.seeds.count
    }
    return nil
  }
}
