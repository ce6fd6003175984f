import BanyanCLIP
import BanyanFoundation
import BanyanTensor

/// The held-out pictures of a pre-training, ready to be looked at again and again.
struct HeldOutPictures {
  private static let portion = 128

  private let rows: [Int]
  private let memory: PictureMemory
  private let captions: CaptionTable
  private let classes: AttributeLabels?
  // [class][template]
  private let sentences: [[ClassTokens]]
  private let device: Device

  /// - Parameters:
  ///   - rows: The pictures, as indices of the memory.
  ///   - classes: The attribute that zero-shot naming is scored on.
  init(
    _ rows: [Int], memory: PictureMemory, captions: CaptionTable, classes: AttributeLabels?, templates: [String],
    tokenizer: CLIPTokenizer, device: Device
  ) {
    self.rows = rows
    self.memory = memory
    self.captions = captions
    self.classes = classes
    self.device = device
    sentences = (classes?.values ?? []).map { value in
      let words = value.replacing("_", with: " ")
      return templates.map { ClassTokens(sentence: tokenizer.encode($0.replacing("{}", with: words)).ids) }
    }
  }

  var isEmpty: Bool { rows.isEmpty }

  /// Retrieval and zero-shot naming with `model` as it is now; a picture stands for its first caption.
  func look(_ model: CLIPModel, step: Int) throws -> PretrainingValidation {
    try Engine.withoutGradients {
      let images = try features(model)
      let chosen = rows.map { captions.ofPicture[$0][0] }
      let distinct = Set(chosen).sorted()
      let column = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
      let texts = try texts(distinct.map { captions.tokens[$0] }, model)
      let retrieval = RetrievalScores(
        try images.matmul(texts.transposed()).floats(), captionOfPicture: chosen.compactMap { column[$0] },
        captions: distinct.count)
      var look = PretrainingValidation(step: step, retrieval: retrieval)
      if let classes, !sentences.isEmpty {
        let labelled = rows.indices.filter { classes.labels[rows[$0]] != nil }
        if !labelled.isEmpty {
          let count = sentences[0].count
          let classifier = try self.texts(Array(sentences.joined()), model)
            .reshaped([sentences.count, count, -1]).mean([1])
            .normalized()
          let guesses = try images.gathered(0, .indices(labelled, device: device)).matmul(classifier.transposed())
            .argmax(1).integers()
          let right = zip(guesses, labelled).count { Int($0) == classes.labels[rows[$1]] }
          look.zeroShot = Double(right) / Double(labelled.count)
          look.zeroShotClasses = sentences.count
        }
      }
      return look
    }
  }

  /// The share of attributes that the heads name right, by attribute.
  func accuracy(of heads: AttributeHeads, _ model: CLIPModel, parameters: ParameterTree) throws -> [String: Double] {
    try Engine.withoutGradients {
      var hits = heads.attributes.map { _ in (right: 0, all: 0) }
      try forEachPortion { portion, pixels in
        let features = try model.image.features(pixels, keeping: nil)
        for (index, own) in try heads.hits(features, rows: portion, parameters: parameters).enumerated() {
          hits[index].right += own.right
          hits[index].all += own.all
        }
      }
      return Dictionary(
        uniqueKeysWithValues: zip(heads.attributes, hits).filter { $1.all > 0 }.map {
          ($0.name, Double($1.right) / Double($1.all))
        })
    }
  }

  private func features(_ model: CLIPModel) throws -> Tensor {
    var parts: [Tensor] = []
    try forEachPortion { _, pixels in parts.append(try model.image.features(pixels, keeping: nil).normalized()) }
    return try .concatenated(parts, axis: 0)
  }

  private func forEachPortion(_ body: ([Int], Tensor) throws -> Void) throws {
    for start in stride(from: 0, to: rows.count, by: Self.portion) {
      let portion = Array(rows[start..<min(start + Self.portion, rows.count)])
      let shape = [portion.count, 3, memory.side, memory.side]
      try body(portion, Tensor(memory.planes(portion), shape: shape, device: device))
    }
  }

  private func texts(_ tokens: [ClassTokens], _ model: CLIPModel) throws -> Tensor {
    let parts = try stride(from: 0, to: tokens.count, by: Self.portion).map { start in
      try model.text.features(Array(tokens[start..<min(start + Self.portion, tokens.count)]), path: .sharedPrefix)
        .reshaped([-1, model.configuration.projectionWidth]).normalized()
    }
    return try .concatenated(parts, axis: 0)
  }
}
