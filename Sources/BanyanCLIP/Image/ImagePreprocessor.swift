import BanyanFoundation
public import Foundation

/// From a picture to what an image tower takes: resize, crop the centre, rescale, normalise.
///
///     y[c, i, j] = (factor · x[i, j, c] - mean[c]) / std[c]
///
/// The settings are those of a Hugging Face `preprocessor_config.json`, and the values those of its
/// `CLIPImageProcessor` on Pillow for an RGB picture: the shorter side to `size` with the longer one cut to whole
/// pixels, the crop at ⌊(side - crop) / 2⌋, black where the picture is smaller than the crop. Unlike
/// ``ImageAugmentation`` it has no randomness. Every picture gives planes of the same size.
public struct ImagePreprocessor: Sendable, Equatable {
  /// How the sides of the resized picture follow from those of the original.
  public enum Resizing: Sendable, Equatable {
    /// The shorter side becomes this long; the shape is kept.
    case shortestEdge(Int)
    /// Both sides are set; the shape is not kept.
    case exact(height: Int, width: Int)
  }

  /// The sides after resizing; `nil` leaves the picture's size.
  public let resizing: Resizing?
  /// The kernel of the resize.
  public let filter: ResamplingFilter
  /// The height of the centre crop, in pixels; `nil` where nothing is cropped.
  public let cropHeight: Int?
  /// The width of the centre crop, in pixels; `nil` where nothing is cropped.
  public let cropWidth: Int?
  /// What 8-bit values are multiplied by; `nil` leaves them at 0-255.
  public let rescaleFactor: Double?
  /// What is subtracted from red, green and blue after rescaling; `nil` where nothing is normalised.
  public let mean: [Double]?
  /// What red, green and blue are divided by; `nil` where nothing is normalised.
  public let standardDeviation: [Double]?

  /// The means of CLIP's training pictures, red, green, blue, on a scale of 0 to 1.
  public static let clipMean = [0.481_454_66, 0.457_827_5, 0.408_210_73]
  /// The standard deviations of CLIP's training pictures, red, green, blue, on a scale of 0 to 1.
  public static let clipStandardDeviation = [0.268_629_54, 0.261_302_58, 0.275_777_11]

  /// CLIP's own settings for a tower that takes `imageSize` × `imageSize` pixels.
  ///
  /// - Throws: A `BanyanError` where `imageSize` is not between 1 and 8192.
  public init(imageSize: Int) throws {
    let size = JSONValue.integer(Int64(imageSize))
    try self.init(configuration: .object(["size": size, "crop_size": size]))
  }

  /// Reads a `preprocessor_config.json`.
  ///
  /// - Throws: A `BanyanError` that names the file and the key whose value is unknown or impossible.
  public init(contentsOf url: URL) throws {
    let configuration = try JSONDocument.read(JSONValue.self, from: url)
    try self.init(configuration: configuration, subject: url.path)
  }

  init(
    resizing: Resizing?, filter: ResamplingFilter, crop: (height: Int, width: Int)?, rescaleFactor: Double?,
    mean: [Double]?, standardDeviation: [Double]?
  ) {
    self.resizing = resizing
    self.filter = filter
    cropHeight = crop?.height
    cropWidth = crop?.width
    self.rescaleFactor = rescaleFactor
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  /// The rows of every plane.
  public var outputHeight: Int {
    if let cropHeight { return cropHeight }
    // Without a crop the configuration reader accepts only exact sizes.
    if case .exact(let height, _) = resizing { return height }
    return 0
  }

  /// The columns of every plane.
  public var outputWidth: Int {
    if let cropWidth { return cropWidth }
    if case .exact(_, let width) = resizing { return width }
    return 0
  }

  /// The sides that a picture of `width` × `height` is resized to, before the crop.
  public func resizedSize(width: Int, height: Int) -> (width: Int, height: Int) {
    switch resizing {
    case nil: return (width, height)
    case .exact(let newHeight, let newWidth): return (newWidth, newHeight)
    case .shortestEdge(let edge):
      let (short, long) = (min(width, height), max(width, height))
      let newLong = edge * long / short
      return width <= height ? (edge, newLong) : (newLong, edge)
    }
  }

  /// The planes of `image`, red, green, blue.  // [3, outputHeight, outputWidth]
  public func callAsFunction(_ image: PixelImage) -> [Float] {
    let (width, height) = resizedSize(width: image.width, height: image.height)
    let columns = CropSpan(side: width, crop: outputWidth)
    let rows = CropSpan(side: height, crop: outputHeight)
    let window = PixelRegion(x: columns.start, y: rows.start, width: columns.count, height: rows.count)
    let part = image.resampled(from: image.bounds, width: width, height: height, window: window, filter: filter)
    if part.width == outputWidth && part.height == outputHeight { return normalised(part) }

    var pixels = [UInt8](repeating: 0, count: outputWidth * outputHeight * 3)
    for y in 0..<part.height {
      let target = 3 * ((y + rows.padding) * outputWidth + columns.padding)
      let row = part.pixels[3 * part.width * y..<3 * part.width * (y + 1)]
      pixels.replaceSubrange(target..<target + row.count, with: row)
    }
    return normalised(PixelImage(checkedWidth: outputWidth, height: outputHeight, pixels: pixels))
  }

  /// The rescaled and normalised planes of a picture that is already of the right size.  // [3, height, width]
  public func normalised(_ image: PixelImage) -> [Float] {
    let area = image.width * image.height
    let tables = (0..<3).map(table(channel:))
    return [Float](unsafeUninitializedCapacity: 3 * area) { target, count in
      image.pixels.withUnsafeBufferPointer { pixels in
        for channel in 0..<3 {
          tables[channel].withUnsafeBufferPointer { table in
            let offset = channel * area
            for i in 0..<area { target[offset + i] = table[Int(pixels[3 * i + channel])] }
          }
        }
      }
      count = 3 * area
    }
  }

  /// What each of the 256 values of a channel becomes; rescaled in double and normalised in single precision, as the
  /// reference does.
  private func table(channel: Int) -> [Float] {
    (0..<256).map { value in
      let rescaled = rescaleFactor.map { Float(Double(value) * $0) } ?? Float(value)
      guard let mean, let standardDeviation else { return rescaled }
      return (rescaled - Float(mean[channel])) / Float(standardDeviation[channel])
    }
  }

  /// A stable text of every setting that changes pixels.
  ///
  /// Equal texts mean equal planes, so features may be cached by it.
  public var fingerprint: String {
    let size =
      switch resizing {
      case nil: "none"
      case .shortestEdge(let edge): "shortest:\(edge)"
      case .exact(let height, let width): "\(height)x\(width)"
      }
    let crop = cropHeight.map { "\($0)x\(cropWidth ?? $0)" } ?? "none"
    func list(_ values: [Double]?) -> String { values.map { $0.map { "\($0)" }.joined(separator: ",") } ?? "none" }
    // The leading number changes whenever the code gives other values for the same settings.
    let factor = rescaleFactor.map { "\($0)" } ?? "none"
    return "pixels-1;resize=\(size);filter=\(filter.rawValue);crop=\(crop);factor=\(factor);mean=\(list(mean))"
      + ";std=\(list(standardDeviation))"
  }
}

/// One axis of a centre crop: which part of the picture is seen, and how far into the result it lies.
private struct CropSpan {
  let start: Int
  let count: Int
  let padding: Int

  init(side: Int, crop: Int) {
    // Rounded down for negative differences too, where the picture is smaller than the crop.
    let offset = (side - crop) >> 1
    start = max(0, offset)
    count = min(side, crop)
    padding = max(0, -offset)
  }
}
