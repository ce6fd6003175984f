import BanyanFoundation
import CImageCodec
public import Foundation

/// Picture files as pixels: JPEG, PNG and WebP.
///
/// The values are those of Pillow's `ImageOps.exif_transpose(Image.open(file)).convert("RGB")`: turned upright by EXIF,
/// alpha dropped and not composited, 16-bit grey clipped to 255, other 16-bit samples cut to their high byte, inks
/// converted without a colour profile. A damaged or shortened file is an error, never a half-grey picture.
public enum ImageDecoder {
  /// The pixels a file may have unless the caller says otherwise: 100 million.
  public static let defaultPixelLimit = 100_000_000

  /// Decodes a file's bytes; the format is told by the first bytes.
  ///
  /// - Parameters:
  ///   - data: The whole file.
  ///   - name: What errors call it, usually its path.
  ///   - pixelLimit: The most pixels the header may announce; checked before anything of that size is allocated.
  /// - Throws: A `BanyanError` of kind `malformed` that names the file, where it is damaged, of another format or too
  ///   large; of kind `failed` where memory runs out.
  public static func decode(_ data: Data, name: String, pixelLimit: Int = defaultPixelLimit) throws -> PixelImage {
    let bytes = [UInt8](data)
    let reader = ByteReader(bytes: bytes[...])
    guard !bytes.isEmpty else { throw BanyanError(.malformed, at: name, "expected a picture, found an empty file") }
    guard let format = ImageFormat(magic: reader) else {
      throw BanyanError(
        .malformed, at: name, "expected a JPEG, PNG or WebP picture, found \(ImageFormat.foreignName(reader))",
        remedy: "Convert the file, or take it out of the folder.")
    }
    if format == .webp { try checkLength(ofWebP: reader, name: name) }

    var result = banyan_codec_result()
    defer { banyan_codec_free(&result) }
    let status = bytes.withUnsafeBytes { decode($0, as: format, pixelLimit: pixelLimit, into: &result) }
    guard status == BANYAN_CODEC_OK, let stored = result.pixels else {
      throw explain(status, result, format: format, name: name, pixelLimit: pixelLimit)
    }
    let orientation = ImageOrientation(exif: format.exifBlock(reader))
    return orientation.upright(stored, width: Int(result.width), height: Int(result.height))
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, as format: ImageFormat, pixelLimit: Int, into result: inout banyan_codec_result
  ) -> banyan_codec_status {
    let limit = UInt64(max(0, pixelLimit))
    let buffer = bytes.bindMemory(to: UInt8.self)
    return switch format {
    case .jpeg: banyan_codec_decode_jpeg(buffer.baseAddress, buffer.count, limit, &result)
    case .png: banyan_codec_decode_png(buffer.baseAddress, buffer.count, limit, &result)
    case .webp: banyan_codec_decode_webp(buffer.baseAddress, buffer.count, limit, &result)
    }
  }

  /// How many pixels a file's header announces, told without decoding any; `nil` where it has no header that can be read.
  public static func announcedPixels(of data: Data) -> Int? {
    let first = [UInt8](data.prefix(64))
    guard let format = ImageFormat(magic: ByteReader(bytes: first[...])) else { return nil }
    var result = banyan_codec_result()
    defer { banyan_codec_free(&result) }
    // None is few enough.
    let status = data.withUnsafeBytes { decode($0, as: format, pixelLimit: 0, into: &result) }
    return status == BANYAN_CODEC_TOO_LARGE ? Int(result.width) * Int(result.height) : nil
  }

  /// Decodes the file at `url`.
  ///
  /// - Throws: A `BanyanError` as ``decode(_:name:pixelLimit:)`` does, or of kind `missingInput` where the file is
  ///   absent or not readable.
  public static func decode(contentsOf url: URL, pixelLimit: Int = defaultPixelLimit) throws -> PixelImage {
    try decode(AtomicFile.read(url), name: url.path, pixelLimit: pixelLimit)
  }

  /// libwebp is content once it has the pixels; a file that lost its tail is found by the length it announces.
  private static func checkLength(ofWebP bytes: ByteReader, name: String) throws {
    let announced = (bytes.integer(at: 4, bytes: 4, bigEndian: false) ?? 0) + 8
    guard announced <= bytes.count else {
      throw BanyanError(
        .malformed, at: name, "expected a WebP of \(announced) bytes, found \(bytes.count)",
        remedy: "The file was cut short; copy it again.")
    }
  }

  private static func explain(
    _ status: banyan_codec_status, _ result: banyan_codec_result, format: ImageFormat, name: String, pixelLimit: Int
  ) -> BanyanError {
    let message = withUnsafeBytes(of: result.message) { buffer in
      String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch status {
    case BANYAN_CODEC_TOO_LARGE:
      return BanyanError(
        .malformed, at: name,
        "expected at most \(pixelLimit) pixels, found a header that announces \(result.width)×\(result.height)",
        remedy: "Scale the picture down, or raise the pixel limit.")
    case BANYAN_CODEC_OUT_OF_MEMORY:
      return BanyanError(.failed, at: name, message, remedy: "Decode fewer pictures at once, or scale this one down.")
    case BANYAN_CODEC_UNSUPPORTED:
      return BanyanError(.malformed, at: name, message, remedy: "Convert the file to a plain \(format.rawValue).")
    default:
      return BanyanError(
        .malformed, at: name, "expected a whole \(format.rawValue), found a damaged one: \(message)",
        remedy: "Copy the file again, or take it out of the folder.")
    }
  }
}
