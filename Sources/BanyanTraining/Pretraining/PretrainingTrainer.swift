import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import Foundation

/// Takes the steps of a pre-training: warm-up, then contrastive training.
struct PretrainingTrainer {
  let settings: PretrainingSettings
  let configuration: CLIPConfiguration
  let training: [Int]
  let heldOut: HeldOutPictures
  let heads: AttributeHeads
  let captions: CaptionTable
  let memory: PictureMemory
  let preprocessor: ImagePreprocessor
  let observer: ExperimentObserver

  /// The phase `kind` over the training pictures; short last batches are left out.
  func plan(_ kind: PhasePlan.Kind) -> PhasePlan {
    PhasePlan(kind, settings: settings, stepsPerEpoch: max(1, training.count / settings.batchSize))
  }

  /// Where a pre-training starts.
  func initialState() throws -> PretrainingState {
    var parameters = try InitialWeights.make(
      configuration, temperature: settings.contrastive.initialTemperature, seed: settings.seed)
    if hasWarmup {
      parameters = parameters.merging(
        try heads.initialParameters(width: configuration.projectionWidth, seed: settings.seed))
    }
    var state = PretrainingState(parameters)
    state.notes.phase = hasWarmup ? .warmup : .contrastive
    return state
  }

  private var hasWarmup: Bool { !heads.attributes.isEmpty && plan(.warmup).steps > 0 }

  /// Takes all steps that `state` has not taken yet.
  ///
  /// - Throws: A `BanyanError` of kind `interrupted` where it was stopped, after `save`; of kind `failed` where the loss
  ///   is not finite.
  func train(_ state: inout PretrainingState, save: (PretrainingState) throws -> Void) throws {
    if state.notes.phase == .warmup {
      try run(plan(.warmup), &state, save: save)
      for path in state.parameters.paths where path.hasPrefix("heads.") { state.parameters[path] = nil }
      state.optimizer = ParameterTree()
      state.notes.phase = .contrastive
      state.notes.step = 0
    }
    try run(plan(.contrastive), &state, save: save)
  }

  private func run(
    _ plan: PhasePlan, _ state: inout PretrainingState, save: (PretrainingState) throws -> Void
  ) throws {
    observer.report(.phase(plan.kind.title))
    let elapsed = ElapsedTime()
    let all = try state.parameters.mapTensors { try $1.to(device: settings.device).asParameter() }
    var trained = ParameterTree()
    for path in all.paths where plan.kind == .contrastive || path.hasPrefix("image.") || path.hasPrefix("heads.") {
      trained[path] = all[path]
    }
    let optimizer = try GroupedOptimizer(settings.contrastive, parameters: trained)
    try optimizer.restore(state.optimizer)
    let model = try CLIPModel(configuration, parameters: all)
    let feeder = try PretrainingFeeder(
      settings, phase: plan, memory: memory, captions: captions, training: training, preprocessor: preprocessor)
    let before = state.notes.seconds[plan.kind.rawValue] ?? 0
    func capture() throws {
      state.parameters = try all.mapTensors { try $1.detached().to(device: .cpu).clone() }
      state.optimizer = try optimizer.state()
      state.notes.seconds[plan.kind.rawValue] = before + elapsed.seconds
    }
    while state.notes.step < plan.steps {
      if observer.shouldStop() {
        try capture()
        try save(state)
        throw BanyanError(
          .interrupted, at: plan.kind.title.lowercased(), "stopped at step \(state.notes.step) of \(plan.steps)")
      }
      let rate = plan.rate(state.notes.step)
      let batch = try feeder.batch(state.notes.step)
      let loss = try loss(plan.kind, batch, model, all)
      let value = try loss.item()
      guard value.isFinite else { throw diverged(plan, state.notes.step, "the loss is \(value)") }
      let gradients = try Gradients.of([loss], with: trained.tensors)
      try optimizer.step(
        ParameterTree(Dictionary(uniqueKeysWithValues: zip(trained.paths, gradients))), rate: rate)
      try clampScale(all)
      state.notes.step += 1
      state.losses[plan.kind, default: []].append(value)
      observer.report(
        .step(
          seed: settings.seed, step: state.notes.step, total: plan.steps, objectives: ["loss": value], rate: rate))
      try look(plan, &state, model, all)
      if state.notes.step % settings.saveEvery == 0, state.notes.step < plan.steps {
        try capture()
        try save(state)
      }
    }
    try capture()
    for path in state.parameters.paths
    where try !(state.parameters[path]?.sum().item().isFinite ?? true) {
      throw diverged(plan, state.notes.step, "\(path) is not finite after the last step")
    }
  }

  private func loss(
    _ kind: PhasePlan.Kind, _ batch: PretrainingBatch, _ model: CLIPModel, _ parameters: ParameterTree
  ) throws -> Tensor {
    let side = settings.geometry.imageSize
    let pixels = try Tensor(batch.pixels, shape: [batch.rows.count, 3, side, side], device: settings.device)
    let images = try model.image.features(pixels, keeping: batch.kept)
    guard kind == .contrastive else { return try heads.loss(images, rows: batch.rows, parameters: parameters) }
    // A caption that several pictures of the batch have is encoded once.
    let distinct = Set(batch.captions).sorted()
    let places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
    let texts = try model.text.features(distinct.map { captions.tokens[$0] }, path: .sharedPrefix)
      .reshaped([distinct.count, configuration.projectionWidth])
      .gathered(0, .indices(batch.captions.compactMap { places[$0] }, device: settings.device))
    return try ContrastiveLoss.symmetric(
      images: images, texts: texts, logScale: parameters.require("logitScale"), captions: batch.captions,
      labelSmoothing: settings.contrastive.labelSmoothing)
  }

  private func clampScale(_ parameters: ParameterTree) throws {
    let scale = try parameters.require("logitScale")
    let limit = log(settings.contrastive.maximumScale)
    if try scale.item() > limit { try scale.assign(.full([], limit, device: settings.device)) }
  }

  /// Looks at held-out pictures where it is time.
  private func look(
    _ plan: PhasePlan, _ state: inout PretrainingState, _ model: CLIPModel, _ parameters: ParameterTree
  ) throws {
    guard !heldOut.isEmpty else { return }
    let (isLast, every) = (state.notes.step == plan.steps, settings.validation.every)
    switch plan.kind {
    case .warmup where isLast:
      state.notes.attributeAccuracy = try heldOut.accuracy(of: heads, model, parameters: parameters)
      let words = state.notes.attributeAccuracy.sorted { $0.key < $1.key }.map {
        "\($0.key) \(($0.value * 100).formatted(.number.precision(.fractionLength(1)))) %"
      }
      observer.report(.note("Attributes, held out: \(words.joined(separator: ", "))"))
    case .contrastive where isLast || (every > 0 && state.notes.step % every == 0):
      let validation = try heldOut.look(model, step: state.notes.step)
      state.notes.validations.append(validation)
      observer.report(.note(validation.summary))
    default: break
    }
  }

  private func diverged(_ plan: PhasePlan, _ step: Int, _ message: String) -> BanyanError {
    BanyanError(
      .failed, at: "\(plan.kind.title.lowercased()), step \(step + 1)", message,
      remedy: "Lower \(plan.kind.rawValue).learningRate (now \(plan.highestRate)) or raise contrastive.warmupShare.")
  }
}
