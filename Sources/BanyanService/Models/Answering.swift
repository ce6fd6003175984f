import BanyanFoundation
import BanyanTraining
import Foundation
import Metrics

/// Pictures in, probabilities out: decodes beside the tower, queues, and puts the towers' answers together.
struct Answering: Sendable {
  let queue: BatchQueue
  let settings: ServiceSettings
  let rate: RateGate?
  let uploads: UploadGate
  /// What is kept of traffic; `nil` keeps nothing.
  let traffic: TrafficKeeper?

  /// A picture that is a file, or one that is planes already.
  enum Source: Sendable {
    case file(name: String, data: Data)
    case planes([Float])

    /// What must be decoded, by its header; 0 where it is no picture or has more than `limit`, so that none is decoded.
    fileprivate func pixels(limit: Int) -> Int {
      guard case .file(_, let data) = self, let announced = PictureClassifier.announcedPixels(of: data) else {
        return 0
      }
      return announced > limit ? 0 : announced
    }
  }

  /// What pictures are under the tasks at `places`: for each picture, for each task, the probabilities; or what is wrong
  /// with it.
  ///
  /// - Throws: A ``ServiceError`` where the service is full or fails as a whole.
  func answers(
    _ sources: [Source], runs: ServedRuns, places: [Int], client: String
  ) async throws -> [Result<[[Double]], BanyanError>] {
    let pixels = sources.map { $0.pixels(limit: settings.pixelLimit) }
    let promise = try await queue.reserve(pixels, of: runs, places: places)
    let found: [Result<[[Double]], BanyanError>]
    do {
      // Only what is taken counts against the client.
      try rate?.take(sources.count, client: client)
      found = try await withThrowingTaskGroup(of: (Int, Result<[[Double]], BanyanError>).self) { group in
        for (index, source) in sources.enumerated() {
          let own = pixels[index]
          group.addTask { (index, try await answer(source, pixels: own, runs: runs, places: places)) }
        }
        var results = [Result<[[Double]], BanyanError>?](repeating: nil, count: sources.count)
        for try await (index, result) in group { results[index] = result }
        return results.compactMap(\.self)
      }
    } catch {
      await queue.release(promise, isAnswered: false)
      throw error
    }
    await queue.release(promise, isAnswered: found.contains { (try? $0.get()) != nil })
    Counter(label: "banyan_pictures_total").increment(by: sources.count)
    return found
  }

  private func answer(
    _ source: Source, pixels: Int, runs: ServedRuns, places: [Int]
  ) async throws -> Result<[[Double]], BanyanError> {
    var rows = [[Double]](repeating: [], count: places.count)
    let towers = runs.towers(places)
    do {
      // Once for every tower: they may want other sizes.
      for part in towers {
        let classifier = runs.classifier(part[0])
        let limit = settings.pixelLimit
        let planes: PictureClassifier.Planes
        do {
          planes = try await queue.decode(pixels: pixels) {
            switch source {
            case .file(let name, let data): try classifier.planes(of: data, name: name, pixelLimit: limit)
            case .planes(let values): try classifier.planes(values)
            }
          }
        } catch {
          // It may have been large, if it is no handful of bytes.
          if case .file(_, let data) = source, data.count > 1 << 16 { await queue.noteLargePicture() }
          throw error
        }
        if planes.sourcePixels > BatchQueue.largePicture { await queue.noteLargePicture() }
        let answer = try await queue.answer(planes, runs: runs, places: part)
        // A picture that several tasks are asked about is no traffic of any of them.
        if Set(places).count == 1 {
          traffic?.add(answer.feature, zip(part, answer.probabilities).map { ($0, runs, $1) })
        }
        for (place, probabilities) in zip(part, answer.probabilities) {
          for (position, wanted) in places.enumerated() where wanted == place { rows[position] = probabilities }
        }
      }
      return .success(rows)
    } catch let error as BanyanError where error.kind == .malformed {
      return .failure(error)
    }
  }
}
