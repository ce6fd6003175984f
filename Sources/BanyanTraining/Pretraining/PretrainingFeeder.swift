import BanyanCLIP
import BanyanFoundation
import BanyanTasks
import Dispatch
import Foundation
import Synchronization

/// What one step learns from.
struct PretrainingBatch: Sendable {
  /// The pictures, as indices of the memory.
  let rows: [Int]
  /// Their planes.  // [rows, 3, side, side]
  let pixels: [Float]
  /// The patches that each picture keeps; `nil` for all.
  let kept: [[Int]]?
  /// The caption that each picture has this time, as a number of the caption table.
  let captions: [Int]
}

/// Batches as a pure function of (seed, phase, step), made one step ahead of their use.
///
/// Nothing but the step needs to be kept for a continued run to see the very pictures, crops, captions and patches of an
/// uninterrupted one.
final class PretrainingFeeder: @unchecked Sendable {
  private let settings: PretrainingSettings
  private let memory: PictureMemory
  private let captions: CaptionTable
  private let schedule: BatchSchedule
  private let phase: PhasePlan
  private let training: [Int]
  private let crop: PictureCrop?
  private let queue = DispatchQueue(label: "banyan.batches", qos: .userInitiated)
  // Read and written with the mutex held; the queue fills it.
  private let ahead = Mutex<[Int: Result<PretrainingBatch, any Error>]>([:])

  init(
    _ settings: PretrainingSettings, phase: PhasePlan, memory: PictureMemory, captions: CaptionTable, training: [Int],
    preprocessor: ImagePreprocessor
  ) throws {
    self.settings = settings
    self.memory = memory
    self.captions = captions
    self.training = training
    self.phase = phase
    schedule = try BatchSchedule(
      count: training.count, batchSize: settings.batchSize, seed: settings.seed, label: phase.kind.rawValue)
    let variation = settings.augmentation
    guard variation.minimumScale < 1 || variation.flipProbability > 0 else {
      crop = nil
      return
    }
    let augmentation = try ImageAugmentation(
      scale: variation.minimumScale...1, ratio: 1 / variation.maximumRatio...variation.maximumRatio,
      flipProbability: variation.flipProbability)
    crop = PictureCrop(augmentation, side: memory.side, preprocessor: preprocessor)
  }

  /// The batch of `step`; that of the next step is begun meanwhile.
  func batch(_ step: Int) throws -> PretrainingBatch {
    // The queue is serial: waiting for it is waiting for what was begun.
    let prepared = queue.sync { ahead.withLock { $0.removeValue(forKey: step) } }
    let batch = try prepared.map { try $0.get() } ?? make(step)
    if step + 1 < phase.steps {
      queue.async {
        let result = Result { try self.make(step + 1) }
        self.ahead.withLock { $0 = [step + 1: result] }
      }
    }
    return batch
  }

  private func make(_ step: Int) throws -> PretrainingBatch {
    let (epoch, inner) = (step / phase.stepsPerEpoch, step % phase.stepsPerEpoch)
    let rows = schedule.indices(epoch: epoch, step: inner).map { training[$0] }
    var generator = SeededGenerator(seed: settings.seed, label: "\(phase.kind.rawValue) step \(step)")
    let chosen = rows.map { row in
      let own = captions.ofPicture[row]
      return own[generator.integer(below: own.count)]
    }
    let kept = patches(rows.count, generator: &generator)
    let seeds = rows.map { _ in generator.next() }
    let pixels =
      try crop.map { crop in
        try memory.planes(rows) { place, picture, planes in
          var own = SeededGenerator(seed: seeds[place])
          crop(picture, into: planes, generator: &own)
        }
      } ?? memory.planes(rows)
    return PretrainingBatch(rows: rows, pixels: pixels, kept: kept, captions: chosen)
  }

  /// Patches that stay, drawn for every picture anew, in the order of their places.
  private func patches(_ count: Int, generator: inout SeededGenerator) -> [[Int]]? {
    let grid = settings.geometry.imageSize / settings.geometry.patchSize
    let all = grid * grid
    let length = max(1, all - Int((settings.patchDropping * Double(all)).rounded()))
    guard length < all else { return nil }
    return (0..<count).map { _ in
      var places = Array(0..<all)
      for i in 0..<length { places.swapAt(i, i + generator.integer(below: all - i)) }
      return places[..<length].sorted()
    }
  }
}
