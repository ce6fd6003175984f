import BanyanCLIP
import BanyanFoundation
import BanyanReports
import BanyanTasks
import BanyanTensor
public import Foundation

/// One pre-training from captioned pictures to a CLIP on disk.
///
/// The phases: read captions → tokenizer → decode pictures → supervised warm-up of the image tower → contrastive training
/// of both towers → checkpoint and record. A run that was stopped goes on where it was and ends with the same bytes, given
/// the same number of threads.
public struct PretrainingRun: Sendable {
  private let settings: PretrainingSettings
  private let folder: PretrainingFolder
  private let command: [String]
  private let observer: ExperimentObserver

  /// Prepares a pre-training.
  ///
  /// - Parameters:
  ///   - settings: What to do.
  ///   - output: The checkpoint's folder.
  ///   - command: What the user typed, for the record.
  ///   - observer: Who is told how it goes and may stop it.
  public init(
    _ settings: PretrainingSettings, output: URL, command: [String] = [],
    observer: ExperimentObserver = ExperimentObserver()
  ) throws {
    try settings.validate()
    // A continued run must use as many threads as it began with, whatever the machine's default is then.
    var fixed = settings
    fixed.threads = settings.threads ?? Engine.threads
    self.settings = fixed
    folder = PretrainingFolder(output)
    self.command = command
    self.observer = observer
  }

  /// Trains, or goes on, to the end.
  ///
  /// - Returns: The record, which lies in the output folder too.
  /// - Throws: A `BanyanError`; of kind `interrupted` where the observer asked to stop, with all progress saved.
  public func run(_ existing: RunFolder.Existing = .refuse) throws -> PretrainingRecord {
    let lock = try folder.open(existing)
    // What fails before the training has begun leaves nothing behind.
    defer { if !folder.holdsRun { lock.discard() } }
    let isBegun = existing == .resume && folder.holdsRun
    if isBegun { try checkStored() }
    if isBegun, folder.holdsRecord {
      observer.report(.note("The training in \(folder.url.path) is finished; nothing is left to do."))
      // A process that was killed at the very end has left what it worked with.
      folder.removeWork()
      return try JSONDocument.read(from: folder.record)
    }
    if let threads = settings.threads { try Engine.setThreads(threads) }
    observer.report(.phase("Reading captions"))
    let data = try PretrainingData(settings)
    let files = try tokenizerFiles(data)
    let heads = AttributeHeads(
      attributes: try AttributeLabels.chosen(
        settings.warmup.attributes, among: data.attributes, of: data.pictures))
    if !isBegun {
      if existing == .overwrite { try folder.removeRun() }
      try JSONDocument.write(settings.differences(), to: folder.settings)
    }
    // Trained tokenizers and copied ones are read back alike, with the context length of this training.
    try files.write(to: folder.tokenizer, contextLength: settings.geometry.contextLength)
    let tokenizer = try CLIPTokenizer(folder: folder.tokenizer)
    let captions = CaptionTable(data.pictures, tokenizer: tokenizer)
    note(data, captions, heads)

    observer.report(.phase("Decoding pictures"))
    let preprocessor = try ImagePreprocessor(imageSize: settings.geometry.imageSize)
    let memory = try PictureMemory(
      data.files, side: settings.geometry.imageSize, preprocessor: preprocessor,
      progress: { observer.report(.features(done: $0, total: data.files.count)) }, shouldStop: observer.shouldStop)
    let configuration = settings.configuration(vocabularySize: files.vocabularySize)
    let classes =
      data.attributes.contains(settings.validation.attribute)
      ? AttributeLabels(settings.validation.attribute, data.pictures) : nil
    let heldOut = HeldOutPictures(
      data.heldOut, memory: memory, captions: captions, classes: classes, templates: settings.validation.templates,
      tokenizer: tokenizer, device: settings.device)
    let trainer = PretrainingTrainer(
      settings: settings, configuration: configuration, training: data.training, heldOut: heldOut, heads: heads,
      captions: captions, memory: memory, preprocessor: preprocessor, observer: observer)
    let fingerprint = try fingerprint(data, memory, files)
    var state = try PretrainingState(contentsOf: folder.state, fingerprint: fingerprint) ?? trainer.initialState()
    if state.notes.step > 0 {
      observer.report(.note("\(state.notes.phase.title) goes on at step \(state.notes.step)."))
    }
    try trainer.train(&state) { try AtomicFile.write($0.encoded(fingerprint: fingerprint), to: folder.state) }

    observer.report(.phase("Writing the checkpoint"))
    try CheckpointWriter.write(
      configuration: configuration, parameters: state.parameters, tokenizer: files, preprocessing: preprocessor,
      precision: settings.precision, to: folder.url)
    let record = try record(state, data: data, memory: memory, captions: captions, trainer: trainer)
    let text = PretrainingReadme.text(record, settings: settings, summary: configuration.summary)
    try AtomicFile.write(Data(text.utf8), to: folder.readme)
    try JSONDocument.write(record, to: folder.record, sealed: true)
    folder.removeWork()
    return record
  }

  private func tokenizerFiles(_ data: PretrainingData) throws -> TokenizerFiles {
    if let path = settings.tokenizer { return try TokenizerFiles(folder: URL(fileURLWithPath: path)) }
    observer.report(.phase("Learning the vocabulary"))
    return try BytePairTrainer(vocabularySize: settings.geometry.vocabularySize)
      .train(data.training.flatMap { data.pictures[$0].captions })
  }

  private func note(_ data: PretrainingData, _ captions: CaptionTable, _ heads: AttributeHeads) {
    let names = heads.attributes.map { "\($0.name) (\($0.values.count))" }
    observer.report(
      .note(
        "\(data.training.count) training pictures, \(data.heldOut.count) held out, \(captions.tokens.count) distinct "
          + "captions; attributes: \(names.isEmpty ? "none" : names.joined(separator: ", "))"))
    if names.isEmpty { observer.report(.note("There is no attribute to warm the image tower up on.")) }
    if captions.shortened > 0 {
      observer.report(
        .note(
          "\(captions.shortened) captions are longer than \(settings.geometry.contextLength) tokens; their ends are lost."
        )
      )
    }
    if data.training.count < settings.batchSize {
      observer.report(.note("A step takes all \(data.training.count) pictures; batchSize is \(settings.batchSize)."))
    }
  }

  /// Everything that the steps depend on.
  private func fingerprint(_ data: PretrainingData, _ memory: PictureMemory, _ files: TokenizerFiles) throws -> String {
    var settings = settings
    settings.data = ""
    // A tokenizer that is learned follows from the captions.
    if settings.tokenizer != nil {
      let parts = files.tokens + files.merges + [files.startToken, files.endToken, files.paddingToken].map(String.init)
      settings.tokenizer = ContentHash.sha256(parts.joined(separator: "\n"))
    }
    let text = String(decoding: try JSONDocument.data(settings, subject: "settings"), as: UTF8.self)
    return ContentHash.sha256("\(text)\n\(data.fingerprint)\n\(memory.fingerprint ?? "")\n\(Engine.version)")
  }

  private func checkStored() throws {
    let path = folder.settings.path
    var stored = try PretrainingSettings(JSONDocument.read(from: folder.settings), subject: path)
    // Where it lies does not matter; whether it is the same is seen by its contents.
    stored.data = settings.data
    stored.threads = stored.threads ?? settings.threads
    guard stored == settings else {
      let key = try JSONValue(encoding: stored).firstDifference(from: JSONValue(encoding: settings)) ?? ""
      throw BanyanError(
        .usage, at: path, "the folder holds a training with other settings: \(key)",
        remedy: "Resume with `banyan pretrain --resume --output \(folder.url.path)` alone, or choose another folder.")
    }
  }

  private func record(
    _ state: PretrainingState, data: PretrainingData, memory: PictureMemory, captions: CaptionTable,
    trainer: PretrainingTrainer
  ) throws -> PretrainingRecord {
    let kinds = [PhasePlan.Kind.warmup, .contrastive]
    var rates: [String: Double] = [:]
    for kind in kinds {
      guard let seconds = state.notes.seconds[kind.rawValue], seconds > 0, let steps = state.losses[kind]?.count else {
        continue
      }
      rates[kind.rawValue] = Double(steps * min(settings.batchSize, data.training.count)) / seconds
    }
    return PretrainingRecord(
      banyan: ExperimentRun.version, engine: Engine.version, createdAt: ISO8601DateFormatter().string(from: Date()),
      command: command, settings: try JSONValue(encoding: settings),
      data: .init(
        path: settings.data, trainingPictures: data.training.count, heldOutPictures: data.heldOut.count,
        captions: captions.tokens.count, listingSHA256: data.fingerprint, pixelsSHA256: memory.fingerprint),
      vocabularySize: trainer.configuration.vocabularySize, parameters: state.parameters.parameterCount,
      modelSHA256: try ContentHash.sha256(file: folder.weights),
      losses: kinds.flatMap { PretrainingRecord.points(state.losses[$0] ?? [], phase: $0) },
      attributeAccuracy: state.notes.attributeAccuracy, validations: state.notes.validations,
      seconds: state.notes.seconds, picturesPerSecond: rates, threads: Engine.threads)
  }
}
