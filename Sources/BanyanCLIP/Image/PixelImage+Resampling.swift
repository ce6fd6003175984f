import BanyanFoundation

extension PixelImage {
  /// The longest side a picture may be resized to.
  static let sideLimit = 1 << 16

  /// The picture, or the part of it in `region`, at another size.
  ///
  /// Equal to Pillow 13's `crop(region).resize((width, height), filter)` bit for bit: two passes, each rounded to
  /// 8 bits, the horizontal one first unless the height shrinks much more than the width. Pixels outside `region` have
  /// no influence, unlike those around Pillow's `box`.
  ///
  /// - Throws: A `BanyanError` of kind `usage` where `region` does not lie in the picture or a side is out of range.
  public func resized(
    width: Int, height: Int, filter: ResamplingFilter = .bicubic, from region: PixelRegion? = nil
  ) throws -> PixelImage {
    let region = region ?? bounds
    guard region.isInside(bounds) else {
      throw BanyanError(
        .usage, at: "region", "expected a part of a picture of \(self.width)×\(self.height), found \(region)")
    }
    guard (1...Self.sideLimit).contains(width), (1...Self.sideLimit).contains(height) else {
      throw BanyanError(
        .usage, at: "size", "expected sides of 1 to \(Self.sideLimit), found \(width)×\(height)")
    }
    let window = PixelRegion(x: 0, y: 0, width: width, height: height)
    return resampled(from: region, width: width, height: height, window: window, filter: filter)
  }

  /// The part `window` of the picture that `region` gives at `width` × `height`; only what the window needs is
  /// computed, so that the rest of a picture that is cropped afterwards costs nothing.
  func resampled(
    from region: PixelRegion, width: Int, height: Int, window: PixelRegion, filter: ResamplingFilter
  ) -> PixelImage {
    let columns = window.x..<window.x + window.width
    let rows = window.y..<window.y + window.height
    let result = pixels.withUnsafeBufferPointer { buffer -> [UInt8] in
      guard let base = buffer.baseAddress else { return [] }
      let source = PixelRows(base: base + 3 * (region.y * self.width + region.x), stride: 3 * self.width)
      if filter == .nearest {
        let xs = ResamplingKernel.nearest(sourceCount: region.width, targetCount: width, window: columns)
        let ys = ResamplingKernel.nearest(sourceCount: region.height, targetCount: height, window: rows)
        return source.picked(columns: xs, rows: ys)
      }
      func kernel(_ sourceCount: Int, _ targetCount: Int, _ window: Range<Int>) -> ResamplingKernel? {
        if sourceCount == targetCount { return nil }
        return ResamplingKernel(filter: filter, sourceCount: sourceCount, targetCount: targetCount, window: window)
      }
      switch (kernel(region.width, width, columns), kernel(region.height, height, rows)) {
      case (nil, nil): return source.copied(columns: columns, rows: rows)
      case (let horizontal?, nil): return source.convolvedHorizontally(horizontal, rows: rows)
      case (nil, let vertical?): return source.convolvedVertically(vertical, columns: columns)
      case (let horizontal?, let vertical?):
        if Self.isVerticalFirst(from: region, width: width, height: height) {
          let reach = horizontal.reach
          return source.convolvedVertically(vertical, columns: reach).withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return [] }
            let lowered = PixelRows(base: base, stride: 3 * reach.count, firstColumn: reach.lowerBound)
            return lowered.convolvedHorizontally(horizontal, rows: 0..<rows.count)
          }
        }
        let reach = vertical.reach
        return source.convolvedHorizontally(horizontal, rows: reach).withUnsafeBufferPointer { buffer in
          guard let base = buffer.baseAddress else { return [] }
          let narrowed = PixelRows(base: base, stride: 3 * columns.count, firstRow: reach.lowerBound)
          return narrowed.convolvedVertically(vertical, columns: 0..<columns.count)
        }
      }
    }
    return PixelImage(checkedWidth: window.width, height: window.height, pixels: result)
  }

  /// Whether the rows are resized before the columns.
  ///
  /// Pillow 13 does so where the height loses more than twice as many pixels as the width. Earlier releases never did,
  /// and differ there by the rounding between the passes.
  private static func isVerticalFirst(from region: PixelRegion, width: Int, height: Int) -> Bool {
    height < region.height && region.height - height > 2 * (region.width - width)
  }
}
