extension Drawing {
  /// The figure as SVG, the same bytes for the same figure.
  ///
  /// - Parameter isAlone: With the colours inside, for a file; a page has them once for all figures.
  func svg(isAlone: Bool) -> String {
    let size = "\(Self.number(width)) \(Self.number(height))"
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(size)\" width=\"\(Self.number(width))\""
        + " height=\"\(Self.number(height))\" role=\"img\" class=\"figure\" aria-labelledby=\"\(name)-title \(name)-summary\">",
      "<title id=\"\(name)-title\">\(MarkupText.escaped(title))</title>",
      "<desc id=\"\(name)-summary\">\(MarkupText.escaped(summary))</desc>",
    ]
    if isAlone { lines.append("<style>\(Palette.style)</style><rect width=\"100%\" height=\"100%\" class=\"f p\"/>") }
    lines += marks.map(Self.element)
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private static func element(_ mark: Mark) -> String {
    let isLine = if case .line = mark.shape { true } else { false }
    var attributes = paint(mark.ink, isLine: isLine)
    if isLine, mark.width != 1 { attributes += " stroke-width=\"\(number(mark.width))\"" }
    if mark.opacity != 1 { attributes += " opacity=\"\(number(mark.opacity))\"" }
    let tip = mark.tip.map { "<title>\(MarkupText.escaped(TextWidth.printable($0)))</title>" }
    func closed(_ name: String, _ own: String) -> String {
      tip.map { "<\(name) \(own)\(attributes)>\($0)</\(name)>" } ?? "<\(name) \(own)\(attributes)/>"
    }
    switch mark.shape {
    case .line(let points): return closed("polyline", "points=\"\(list(points))\"")
    case .area(let points): return closed("polygon", "points=\"\(list(points))\"")
    case .box(let corner, let width, let height):
      return closed(
        "rect",
        "x=\"\(number(corner.x))\" y=\"\(number(corner.y))\" width=\"\(number(width))\" height=\"\(number(height))\"")
    case .disc(let centre, let radius):
      return closed("circle", "cx=\"\(number(centre.x))\" cy=\"\(number(centre.y))\" r=\"\(number(radius))\"")
    case .text(let text, let place, let size, let anchor, let turned):
      let (x, y) = (number(place.x), number(place.y))
      let turn = turned ? " transform=\"rotate(-90 \(x) \(y))\"" : ""
      let from = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
      return "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(number(size))\"\(from)\(turn)\(attributes)>"
        + "\(MarkupText.escaped(text))</text>"
    }
  }

  private static func paint(_ ink: Ink, isLine: Bool) -> String {
    let kind = isLine ? "l" : "f"
    switch ink {
    case .text: return " class=\"\(kind) t\""
    case .muted: return " class=\"\(kind) m\""
    case .grid: return " class=\"\(kind) g\""
    case .series(let number): return " class=\"\(kind) s\(number % Palette.series.count)\""
    case .heat(let value): return own(Palette.heat(value), isLine: isLine)
    case .onHeat(let value): return own(Palette.onHeat(value), isLine: isLine)
    }
  }

  /// A colour that is the same in light and in dark.
  private static func own(_ colour: String, isLine: Bool) -> String {
    isLine ? " fill=\"none\" stroke=\"\(colour)\"" : " fill=\"\(colour)\""
  }

  private static func list(_ points: [Point]) -> String {
    points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
  }

  /// At most two digits behind the point.
  private static func number(_ value: Double) -> String {
    var text = NumberText.fixed(value, 2)
    if text.contains(".") {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return text
  }
}

/// Text inside HTML and SVG.
enum MarkupText {
  static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}
