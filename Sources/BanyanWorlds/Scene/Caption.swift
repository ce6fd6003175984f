/// Sentences about a picture, as people write them: not everything is always said.
struct CaptionWriter {
  let scene: Scene
  let style: Style

  /// A caption; the style is named half of the time.
  func caption(_ choice: inout ShapeChoice) -> String {
    var adjectives: [String] = []
    if scene.size != .medium, choice.chance(0.35) { adjectives.append(scene.size.rawValue) }
    if style.showsColour, choice.chance(0.55) { adjectives.append(scene.colour.rawValue) }
    let thing = Self.phrase(scene.object, adjectives: adjectives)
    let place = choice.chance(0.35) ? " \(scene.position.phrase)" : ""
    let opening: String
    if choice.chance(0.5) {
      opening = choice.chance(0.7) ? "\(Self.article(style.phrase)) \(style.phrase) of " : "\(style.phrase) of "
    } else {
      opening = ["a photo of ", "a picture of ", "an image of ", "a photo of ", ""][choice.one(of: 5)]
    }
    return opening + thing + place + (choice.chance(0.5) ? "." : "")
  }

  /// The object's words with its article: "a small red mug", "a pair of red scissors".
  static func phrase(_ object: ObjectClass, adjectives: [String]) -> String {
    let words = (adjectives + [object.rawValue]).joined(separator: " ")
    return object.isPair ? "a pair of \(words)" : "\(article(words)) \(words)"
  }

  static func article(_ words: String) -> String {
    guard let first = words.first else { return "a" }
    return "aeiou".contains(first) ? "an" : "a"
  }
}
