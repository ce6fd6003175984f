import BanyanFoundation
import CImageCodec
public import Foundation

/// Pixels as PNG files, the inverse of ``ImageDecoder`` for pictures of 8 bits.
///
/// The files are made fast rather than small and hold nothing but pixels, so equal pixels give equal bytes (with one
/// version of libpng and zlib).
public enum ImageEncoder {
  /// A PNG of 8-bit red, green and blue; decoding gives `image` back, bit for bit.
  ///
  /// - Throws: A `BanyanError` of kind `failed` where memory runs out or a side is beyond what a PNG can have.
  public static func png(_ image: PixelImage) throws -> Data {
    try encode(image.pixels, width: image.width, height: image.height, channels: 3)
  }

  /// A PNG of 8-bit grey values, row by row.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where `grey` does not hold `height · width` values, else as
  ///   ``png(_:)``.
  public static func png(grey: [UInt8], width: Int, height: Int) throws -> Data {
    try encode(grey, width: width, height: height, channels: 1)
  }

  /// A PNG of 16-bit grey values, row by row.
  ///
  /// Unlike ``png(grey:width:height:)`` it keeps 65 536 levels, of which ``ImageDecoder``, like Pillow, clips those
  /// above 255.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where `grey16` does not hold `height · width` values, else as
  ///   ``png(_:)``.
  public static func png(grey16: [UInt16], width: Int, height: Int) throws -> Data {
    try encode(grey16, width: width, height: height, channels: 1)
  }

  private static func encode<Sample: FixedWidthInteger>(
    _ samples: [Sample], width: Int, height: Int, channels: Int
  ) throws -> Data {
    let subject = "PNG of \(width)×\(height)"
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, samples.count % channels == 0, samples.count / channels == area,
      let columns = UInt32(exactly: width), let rows = UInt32(exactly: height)
    else {
      throw BanyanError(
        .usage, at: subject,
        "expected sides of at least 1 and \(channels == 1 ? "one value" : "\(channels) values") per pixel, "
          + "found \(samples.count) values")
    }
    var file = banyan_codec_file()
    defer { banyan_codec_free_file(&file) }
    let status = samples.withUnsafeBytes {
      banyan_codec_encode_png($0.baseAddress, columns, rows, Int32(channels), Int32(Sample.bitWidth), &file)
    }
    guard status == BANYAN_CODEC_OK, let bytes = file.bytes else {
      let message = withUnsafeBytes(of: file.message) { buffer in
        String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw BanyanError(.failed, at: subject, "cannot be encoded: \(message)")
    }
    return Data(bytes: bytes, count: file.size)
  }
}
