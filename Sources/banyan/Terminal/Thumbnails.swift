import BanyanCLIP
import BanyanFoundation
import BanyanReports
import Foundation

/// Small pictures of a run's test images, as long as the images are where the run found them.
enum Thumbnails {
  /// Pixels along the longer side; twice what a page shows.
  private static let side = 144

  /// A small PNG of `sample`; `nil` where the image is gone or has changed since.
  static func png(of sample: RecordedSample, in run: NamedRecord) -> Data? {
    guard let url = url(of: sample, in: run.record),
      let data = try? AtomicFile.read(url), ContentHash.sha256(data) == sample.sha256,
      let image = try? ImageDecoder.decode(contentsOf: url)
    else { return nil }
    let scale = Double(side) / Double(max(image.width, image.height))
    guard scale < 1 else { return try? ImageEncoder.png(image) }
    let small = try? image.resized(
      width: max(1, Int((Double(image.width) * scale).rounded())),
      height: max(1, Int((Double(image.height) * scale).rounded())), filter: .bicubic)
    return small.flatMap { try? ImageEncoder.png($0) }
  }

  /// Where the image was: paths are relative to the tasks' folder, or to the image root of a table.
  private static func url(of sample: RecordedSample, in record: RunRecord) -> URL? {
    guard !sample.path.hasPrefix("/") else { return URL(fileURLWithPath: sample.path) }
    guard let tasks = record.experiment["tasks"]?.stringValue else { return nil }
    let source = URL(fileURLWithPath: tasks)
    let roots = [record.experiment[path: "data.imageRoot"]?.stringValue].compactMap { $0 }.map {
      URL(fileURLWithPath: $0)
    }
    return (roots + [source, source.deletingLastPathComponent()])
      .map { $0.appending(path: sample.path) }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }
}
