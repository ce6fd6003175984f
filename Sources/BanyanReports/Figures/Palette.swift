/// The colours of figures and pages, for light and for dark.
enum Palette {
  /// Told apart by people with any kind of colour vision (Okabe and Ito, *Color Universal Design*, 2008), darker on white
  /// and lighter on black where the original would be hard to see.
  static let series = [
    (light: "#0072b2", dark: "#56b4e9"), (light: "#d55e00", dark: "#ff9248"), (light: "#007f5f", dark: "#2fc79a"),
    (light: "#b0568f", dark: "#e39ac5"), (light: "#8a6d00", dark: "#e6c229"), (light: "#3a3a9e", dark: "#a3a3ff"),
    (light: "#5f5f5f", dark: "#bdbdbd"), (light: "#a11d33", dark: "#ff7b8f"),
  ]

  /// What classes of ``Drawing/Ink`` look like.
  static let style: String = {
    func colours(_ pick: ((light: String, dark: String)) -> String, _ inks: String) -> String {
      inks + series.enumerated().map { "--s\($0.offset):\(pick($0.element));" }.joined()
    }
    let light = colours({ $0.light }, "--t:#1b1b1b;--m:#6a6a6a;--g:#dcdcdc;--p:#ffffff;")
    let dark = colours({ $0.dark }, "--t:#ececec;--m:#a2a2a2;--g:#3b3b3b;--p:#161616;")
    let names = ["t", "m", "g", "p"] + series.indices.map { "s\($0)" }
    return ":root{\(light)}@media (prefers-color-scheme:dark){:root{\(dark)}}@media print{:root{\(light)}}"
      + names.map { ".\($0){--c:var(--\($0))}" }.joined()
      + ".l{fill:none;stroke:var(--c);stroke-linejoin:round}.f{fill:var(--c)}"
      + ".figure text{font-family:system-ui,sans-serif}"
  }()

  /// From a dark blue (0) over green to a light yellow (1), steadily lighter, so that it survives a black-and-white print.
  static func heat(_ value: Double) -> String {
    let stops: [(Double, Double, Double)] = [
      (38, 44, 99), (38, 102, 130), (42, 157, 120), (142, 203, 92), (246, 232, 120),
    ]
    let place = min(1, max(0, value.isFinite ? value : 0)) * Double(stops.count - 1)
    let lower = min(stops.count - 2, Int(place))
    let share = place - Double(lower)
    func mixed(_ part: KeyPath<(Double, Double, Double), Double>) -> Int {
      Int((stops[lower][keyPath: part] * (1 - share) + stops[lower + 1][keyPath: part] * share).rounded())
    }
    return "rgb(\(mixed(\.0)),\(mixed(\.1)),\(mixed(\.2)))"
  }

  /// White on the dark half, black on the light one.
  static func onHeat(_ value: Double) -> String { value < 0.55 ? "#ffffff" : "#111111" }
}
