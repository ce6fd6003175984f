/// The file formats that can be decoded, told apart by their first bytes and never by the file's name.
enum ImageFormat: String, CaseIterable {
  case jpeg = "JPEG"
  case png = "PNG"
  case webp = "WebP"

  init?(magic bytes: ByteReader) {
    if bytes.slice(at: 0, length: 3).elementsEqual([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.slice(at: 0, length: 8).elementsEqual([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.holds("RIFF", at: 0), bytes.holds("WEBP", at: 8) {
      self = .webp
    } else {
      return nil
    }
  }

  /// The name of a known format that is not served, for the message.
  static func foreignName(_ bytes: ByteReader) -> String {
    if bytes.holds("GIF8", at: 0) { return "a GIF" }
    if bytes.holds("BM", at: 0) { return "a BMP" }
    if bytes.holds("II*\0", at: 0) || bytes.holds("MM\0*", at: 0) { return "a TIFF" }
    if bytes.holds("ftyp", at: 4) { return "an AVIF, HEIF or video file" }
    if bytes.holds("<svg", at: 0) || bytes.holds("<?xml", at: 0) { return "an SVG or XML text" }
    if bytes.holds("<!DOCTYPE", at: 0) || bytes.holds("<html", at: 0) { return "a web page" }
    return "other bytes"
  }

  /// The TIFF block of the file's EXIF data, empty where there is none.
  func exifBlock(_ bytes: ByteReader) -> ArraySlice<UInt8> {
    switch self {
    case .jpeg: Self.exifInJPEG(bytes)
    case .png: Self.exifInPNG(bytes)
    case .webp: Self.exifInWebP(bytes)
    }
  }

  private static func exifInJPEG(_ bytes: ByteReader) -> ArraySlice<UInt8> {
    var position = 2
    while bytes.byte(at: position) == 0xFF, let marker = bytes.byte(at: position + 1) {
      if marker == 0xFF {  // a fill byte
        position += 1
        continue
      }
      // The first scan or the end: what follows is no longer the header.
      if marker == 0xDA || marker == 0xD9 { break }
      if (0xD0...0xD8).contains(marker) || marker == 0x01 {
        position += 2
        continue
      }
      guard let length = bytes.integer(at: position + 2, bytes: 2, bigEndian: true), length >= 2 else { break }
      if marker == 0xE1, bytes.holds("Exif\0\0", at: position + 4) {
        return bytes.slice(at: position + 10, length: length - 8)
      }
      position += 2 + length
    }
    return []
  }

  private static func exifInPNG(_ bytes: ByteReader) -> ArraySlice<UInt8> {
    var position = 8
    while let length = bytes.integer(at: position, bytes: 4, bigEndian: true) {
      if bytes.holds("eXIf", at: position + 4) { return withoutPrefix(bytes, at: position + 8, length: length) }
      position += 12 + length
    }
    return []
  }

  private static func exifInWebP(_ bytes: ByteReader) -> ArraySlice<UInt8> {
    var position = 12
    while let length = bytes.integer(at: position + 4, bytes: 4, bigEndian: false) {
      if bytes.holds("EXIF", at: position) { return withoutPrefix(bytes, at: position + 8, length: length) }
      position += 8 + length + length % 2
    }
    return []
  }

  /// Some writers leave JPEG's `Exif` prefix on the block.
  private static func withoutPrefix(_ bytes: ByteReader, at offset: Int, length: Int) -> ArraySlice<UInt8> {
    bytes.holds("Exif\0\0", at: offset)
      ? bytes.slice(at: offset + 6, length: length - 6) : bytes.slice(at: offset, length: length)
  }
}
