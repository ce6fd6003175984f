import BanyanFoundation
import Foundation

/// The kernel that a picture is resized with.
///
/// When a picture shrinks the kernel widens with it (antialiasing); ``nearest`` alone takes single pixels.
public enum ResamplingFilter: String, Sendable, Equatable, Codable, CaseIterable {
  /// The pixel under the target's centre.
  case nearest
  /// The mean of the covered pixels.
  case box
  /// A triangle of half-width 1.
  case bilinear
  /// A Hamming-windowed sinc of half-width 1.
  case hamming
  /// The cubic convolution of half-width 2 with a = -0.5.
  case bicubic
  /// A sinc-windowed sinc of half-width 3.
  case lanczos

  /// The filters in the order of the codes 0-5 that `preprocessor_config.json` stores as `resample`.
  private static let byCode: [ResamplingFilter] = [.nearest, .lanczos, .bilinear, .bicubic, .box, .hamming]

  /// The filter of a `resample` code.
  ///
  /// - Throws: A `BanyanError` about `subject` where the code is not one of 0-5.
  public init(code: Int, subject: String) throws {
    guard Self.byCode.indices.contains(code) else {
      throw BanyanError(
        .malformed, at: subject, "expected a filter code of 0 to 5, found \(code)",
        remedy: "CLIP uses 3, bicubic.")
    }
    self = Self.byCode[code]
  }

  /// The `resample` code of the filter.
  public var code: Int { Self.byCode.firstIndex(of: self) ?? 0 }

  /// How far the kernel reaches from its centre at scale 1, in pixels.
  var support: Double {
    switch self {
    case .nearest: 0
    case .box: 0.5
    case .bilinear, .hamming: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// The kernel's value at a distance of `x` pixels.
  func weight(at x: Double) -> Double {
    switch self {
    case .nearest: return 0
    case .box: return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear: return max(0, 1 - abs(x))
    case .hamming:
      let x = abs(x)
      if x == 0 { return 1 }
      return x >= 1 ? 0 : Self.sinc(x) * (0.54 + 0.46 * cos(x * .pi))
    case .bicubic:
      let x = abs(x)
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    case .lanczos: return x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
    }
  }

  private static func sinc(_ x: Double) -> Double {
    if x == 0 { return 1 }
    return sin(x * .pi) / (x * .pi)
  }
}
