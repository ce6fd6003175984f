import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import Foundation
import Synchronization

/// The pixels of a run's pictures, read when a step wants them and kept as long as there is room.
///
/// ``FeatureTable`` computes all features at once; most methods never ask for pixels, so that nothing is read before.
final class PicturePixels: PixelSource {
  /// The bytes that decoded pictures may take.
  static let limit = 1_500_000_000

  private let pictures: [FeatureExtractor.Picture]
  private let view: FeatureExtractor.View
  private let reader: PictureReader
  private let device: Device
  private let limit: Int
  private let kept = Mutex<[Int: [Float]]>([:])

  init(
    _ pictures: [FeatureExtractor.Picture], view: FeatureExtractor.View, reader: PictureReader, device: Device,
    limit: Int = PicturePixels.limit
  ) {
    self.pictures = pictures
    self.view = view
    self.reader = reader
    self.device = device
    self.limit = limit
  }

  func pixels(_ rows: [Int]) throws -> Tensor {
    var planes = kept.withLock { kept in rows.map { kept[$0] } }
    let missing = planes.indices.filter { planes[$0] == nil }
    try reader.planes(of: missing.map { pictures[rows[$0]] }, view: view) { offset, values in
      planes[missing[offset]] = values
    }
    kept.withLock { kept in
      for place in missing {
        guard let values = planes[place], (kept.count + 1) * values.count * 4 <= limit else { break }
        kept[rows[place]] = values
      }
    }
    return try reader.tensor(planes.compactMap(\.self), device: device)
  }
}
