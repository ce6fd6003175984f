public import BanyanFoundation
import Foundation

/// The form of the settings in files: the keys of `preprocessor_config.json`.
extension ImagePreprocessor: Codable {
  /// The largest side that is accepted, in pixels.
  static let sideLimit = 8192

  private static let processorTypes: Set<String> = [
    "CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPImageProcessorPil", "CLIPFeatureExtractor",
  ]
  private static let understoodSwitches: Set<String> = [
    "do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb",
  ]

  /// Reads the settings from a parsed `preprocessor_config.json`.
  ///
  /// Absent keys and nulls take CLIP's values. Keys that describe the processor and not the pixels are passed over, but
  /// a `do_…` switch that is on and not understood is refused, because the planes would differ from the reference's.
  ///
  /// - Throws: A `BanyanError` of kind `malformed` at `subject: key`.
  public init(configuration: JSONValue, subject: String = "preprocessor_config.json") throws {
    let reader = try PreprocessorReader(configuration, subject: subject)
    for key in ["image_processor_type", "feature_extractor_type"] {
      if let type = try reader.text(key), !Self.processorTypes.contains(type) {
        throw reader.error(key, "expected CLIPImageProcessor, found \(type)")
      }
    }
    for key in reader.keys where key.hasPrefix("do_") && !Self.understoodSwitches.contains(key) {
      if try reader.flag(key, default: false) {
        throw reader.error(
          key, "the step is not served", remedy: NearNames.remedy(for: key, among: Self.understoodSwitches))
      }
    }
    let resizing = try reader.flag("do_resize") ? reader.resizing() : nil
    let crop = try reader.flag("do_center_crop") ? reader.cropSize() : nil
    if crop == nil {
      guard case .exact = resizing else {
        throw reader.error(
          "do_center_crop", "expected a crop or an exact size, since pictures would differ in shape, found false",
          remedy: #"Set it to true, or size to {"height": n, "width": n}."#)
      }
    }
    let normalises = try reader.flag("do_normalize")
    self.init(
      resizing: resizing,
      filter: try reader.filter(),
      crop: crop,
      rescaleFactor: try reader.flag("do_rescale") ? reader.rescaleFactor() : nil,
      mean: normalises ? try reader.channels("image_mean", default: Self.clipMean, positive: false) : nil,
      standardDeviation: normalises
        ? try reader.channels("image_std", default: Self.clipStandardDeviation, positive: true) : nil)
  }

  /// Decodes the form of `preprocessor_config.json`.
  public init(from decoder: any Decoder) throws {
    let subject = decoder.codingPath.map(\.stringValue).joined(separator: ".")
    try self.init(
      configuration: JSONValue(from: decoder), subject: subject.isEmpty ? "preprocessor" : subject)
  }

  /// Encodes the form of `preprocessor_config.json`, which `transformers` reads too.
  public func encode(to encoder: any Encoder) throws {
    var members: [String: JSONValue] = [
      "image_processor_type": .string("CLIPImageProcessor"),
      "do_resize": .bool(resizing != nil),
      "resample": .integer(Int64(filter.code)),
      "do_center_crop": .bool(cropHeight != nil),
      "do_rescale": .bool(rescaleFactor != nil),
      "do_normalize": .bool(mean != nil),
    ]
    switch resizing {
    case nil: break
    case .shortestEdge(let edge): members["size"] = .object(["shortest_edge": .integer(Int64(edge))])
    case .exact(let height, let width): members["size"] = Self.sides(height, width)
    }
    if let cropHeight, let cropWidth { members["crop_size"] = Self.sides(cropHeight, cropWidth) }
    if let rescaleFactor { members["rescale_factor"] = .number(rescaleFactor) }
    if let mean { members["image_mean"] = .array(mean.map(JSONValue.number)) }
    if let standardDeviation { members["image_std"] = .array(standardDeviation.map(JSONValue.number)) }
    try JSONValue.object(members).encode(to: encoder)
  }

  private static func sides(_ height: Int, _ width: Int) -> JSONValue {
    .object(["height": .integer(Int64(height)), "width": .integer(Int64(width))])
  }
}
