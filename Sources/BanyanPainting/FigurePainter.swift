import BanyanFoundation
package import BanyanReports
import CLibCairo
package import Foundation

/// Paints the marks of a figure into a PNG file, for those who cannot show SVG.
///
/// The SVG of a figure is the same to the byte everywhere; a PNG has the machine's own sans-serif letters.
package struct FigurePainter: Sendable {
  /// Pixels of a unit of the figure.
  package var scale: Double
  /// Light on dark, in place of dark on light.
  package var isDark: Bool

  /// A painter.
  package init(scale: Double = 2, isDark: Bool = false) { (self.scale, self.isDark) = (scale, isDark) }

  /// A painted figure.
  package struct Picture: Sendable {
    /// The bytes of a PNG file.
    package var png: Data
    /// Columns in pixels.
    package var width: Int
    /// Rows in pixels.
    package var height: Int
  }

  /// The most pixels along one side.
  private static let sideLimit = 16_384

  /// The figure as a PNG file.
  ///
  /// - Throws: A `BanyanError` of kind `failed` where the figure is too large, or memory is short.
  package func callAsFunction(_ figure: Drawing) throws -> Picture {
    // A figure of hundreds of tasks is painted smaller rather than not at all.
    let scale = min(self.scale, Double(Self.sideLimit - 1) / max(figure.width, figure.height, 1))
    let (width, height) = (Int((figure.width * scale).rounded(.up)), Int((figure.height * scale).rounded(.up)))
    guard width > 0, height > 0 else {
      throw BanyanError(.failed, at: figure.name, "a picture of \(width) × \(height) pixels cannot be painted")
    }
    let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
    defer { cairo_surface_destroy(surface) }
    let context = cairo_create(surface)
    defer { cairo_destroy(context) }
    guard let context, cairo_status(context) == CAIRO_STATUS_SUCCESS else {
      throw BanyanError(.failed, at: figure.name, "the picture cannot be painted: memory is short")
    }
    cairo_scale(context, scale, scale)
    paint(Palette.paper(isDark: isDark), 1, context)
    cairo_paint(context)
    cairo_select_font_face(context, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    for mark in figure.marks { draw(mark, context) }
    guard cairo_status(context) == CAIRO_STATUS_SUCCESS else {
      throw BanyanError(.failed, at: figure.name, "the picture cannot be painted: a mark is none that can be")
    }
    return Picture(png: try Self.png(surface, of: figure.name), width: width, height: height)
  }

  private func draw(_ mark: Drawing.Mark, _ context: OpaquePointer) {
    paint(Palette.colour(mark.ink, isDark: isDark), mark.opacity, context)
    func path(_ points: [Drawing.Point]) {
      for (index, point) in points.enumerated() {
        index == 0 ? cairo_move_to(context, point.x, point.y) : cairo_line_to(context, point.x, point.y)
      }
    }
    switch mark.shape {
    case .line(let points):
      cairo_set_line_width(context, mark.width)
      path(points)
      cairo_stroke(context)
    case .area(let points):
      path(points)
      cairo_close_path(context)
      cairo_fill(context)
    case .box(let corner, let width, let height):
      cairo_rectangle(context, corner.x, corner.y, width, height)
      cairo_fill(context)
    case .disc(let centre, let radius):
      cairo_new_sub_path(context)
      cairo_arc(context, centre.x, centre.y, radius, 0, 2 * Double.pi)
      cairo_fill(context)
    case .text(let text, let place, let size, let anchor, let turned):
      cairo_set_font_size(context, size)
      var extents = cairo_text_extents_t()
      cairo_text_extents(context, text, &extents)
      let share =
        switch anchor {
        case .start: 0.0
        case .middle: 0.5
        case .end: 1.0
        }
      cairo_save(context)
      cairo_translate(context, place.x, place.y)
      if turned { cairo_rotate(context, -Double.pi / 2) }
      cairo_move_to(context, -share * extents.x_advance, 0)
      cairo_show_text(context, text)
      cairo_restore(context)
    }
  }

  private func paint(_ colour: Palette.Colour, _ opacity: Double, _ context: OpaquePointer) {
    cairo_set_source_rgba(context, colour.red, colour.green, colour.blue, opacity)
  }

  private static func png(_ surface: OpaquePointer?, of name: String) throws -> Data {
    final class Sink { var data = Data() }
    let sink = Sink()
    let status = cairo_surface_write_to_png_stream(
      surface,
      { closure, bytes, count in
        guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
        Unmanaged<Sink>.fromOpaque(closure).takeUnretainedValue().data.append(bytes, count: Int(count))
        return CAIRO_STATUS_SUCCESS
      }, Unmanaged.passUnretained(sink).toOpaque())
    guard status == CAIRO_STATUS_SUCCESS else {
      throw BanyanError(.failed, at: name, "the picture cannot be written as PNG")
    }
    return sink.data
  }
}
