/// The colours of figures and pages, for light and for dark.
package enum Palette {
  /// Told apart by people with any kind of colour vision (Okabe and Ito, *Color Universal Design*, 2008), darker on white
  /// and lighter on black where the original would be hard to see.
  static let series = [
    (light: "#0072b2", dark: "#56b4e9"), (light: "#d55e00", dark: "#ff9248"), (light: "#007f5f", dark: "#2fc79a"),
    (light: "#b0568f", dark: "#e39ac5"), (light: "#8a6d00", dark: "#e6c229"), (light: "#3a3a9e", dark: "#a3a3ff"),
    (light: "#5f5f5f", dark: "#bdbdbd"), (light: "#a11d33", dark: "#ff7b8f"),
  ]

  private static let text = (light: "#1b1b1b", dark: "#ececec")
  private static let muted = (light: "#6a6a6a", dark: "#a2a2a2")
  private static let grid = (light: "#dcdcdc", dark: "#3b3b3b")
  private static let paper = (light: "#ffffff", dark: "#161616")

  /// What classes of ``Drawing/Ink`` look like.
  static let style: String = {
    func colours(_ pick: ((light: String, dark: String)) -> String, _ inks: String) -> String {
      inks + series.enumerated().map { "--s\($0.offset):\(pick($0.element));" }.joined()
    }
    func inks(_ pick: ((light: String, dark: String)) -> String) -> String {
      "--t:\(pick(text));--m:\(pick(muted));--g:\(pick(grid));--p:\(pick(paper));"
    }
    let light = colours({ $0.light }, inks { $0.light })
    let dark = colours({ $0.dark }, inks { $0.dark })
    let names = ["t", "m", "g", "p"] + series.indices.map { "s\($0)" }
    return ":root{\(light)}@media (prefers-color-scheme:dark){:root{\(dark)}}@media print{:root{\(light)}}"
      + names.map { ".\($0){--c:var(--\($0))}" }.joined()
      + ".l{fill:none;stroke:var(--c);stroke-linejoin:round}.f{fill:var(--c)}"
      + ".figure text{font-family:system-ui,sans-serif}"
  }()

  /// From a dark blue (0) over green to a light yellow (1), steadily lighter, so that it survives a black-and-white print.
  static func heat(_ value: Double) -> String {
    let mixed = heatParts(value)
    return "rgb(\(mixed.red),\(mixed.green),\(mixed.blue))"
  }

  private static func heatParts(_ value: Double) -> (red: Int, green: Int, blue: Int) {
    let stops: [(Double, Double, Double)] = [
      (38, 44, 99), (38, 102, 130), (42, 157, 120), (142, 203, 92), (246, 232, 120),
    ]
    let place = min(1, max(0, value.isFinite ? value : 0)) * Double(stops.count - 1)
    let lower = min(stops.count - 2, Int(place))
    let share = place - Double(lower)
    func mixed(_ part: KeyPath<(Double, Double, Double), Double>) -> Int {
      Int((stops[lower][keyPath: part] * (1 - share) + stops[lower + 1][keyPath: part] * share).rounded())
    }
    return (mixed(\.0), mixed(\.1), mixed(\.2))
  }

  /// White on the dark half, black on the light one.
  static func onHeat(_ value: Double) -> String { value < 0.55 ? "#ffffff" : "#111111" }

  /// A colour of light, each part from 0 to 1.
  package struct Colour: Sendable, Equatable {
    package var red: Double
    package var green: Double
    package var blue: Double

    /// The colour that `#rrggbb` names.
    fileprivate init(hex: String) {
      let value = Int(hex.dropFirst(), radix: 16) ?? 0
      (red, green, blue) = (Double(value >> 16) / 255, Double(value >> 8 & 255) / 255, Double(value & 255) / 255)
    }
  }

  /// What a page is painted on.
  package static func paper(isDark: Bool) -> Colour { Colour(hex: isDark ? paper.dark : paper.light) }

  /// What a mark is painted with.
  package static func colour(_ ink: Drawing.Ink, isDark: Bool) -> Colour {
    func own(_ pair: (light: String, dark: String)) -> Colour { Colour(hex: isDark ? pair.dark : pair.light) }
    switch ink {
    case .text: return own(text)
    case .muted: return own(muted)
    case .grid: return own(grid)
    case .series(let number): return own(series[number % series.count])
    case .onHeat(let value): return Colour(hex: onHeat(value))
    case .heat(let value):
      let parts = heatParts(value)
      var colour = Colour(hex: "#000000")
      (colour.red, colour.green) = (Double(parts.red) / 255, Double(parts.green) / 255)
      colour.blue = Double(parts.blue) / 255
      return colour
    }
  }
}
