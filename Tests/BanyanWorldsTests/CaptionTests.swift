import BanyanFoundation
import BanyanWorlds
import Testing

/// Captions say what is so, in English.
@Suite struct CaptionTests {
  /// 2,100 pictures: every style, many objects.
  private func pictures() -> [WorldPicture] {
    let painter = WorldPainter(side: 32)
    return (0..<2100).map { number in
      painter.picture(
        of: ObjectClass.allCases[number % 28], style: Style.allCases[number % 15], seed: 7, label: "caption \(number)")
    }
  }

  @Test func captionsAreTrueAndEnglish() {
    let colours = Set(ColourName.allCases.map(\.rawValue))
    let sizes = Set(SizeName.allCases.map(\.rawValue))
    var (named, coloured, colourful) = (0, 0, 0)
    for picture in pictures() {
      let caption = picture.caption
      let words = caption.split { !$0.isLetter }.map(String.init)
      for (article, next) in zip(words, words.dropFirst()) {
        let isVowel = next.first.map { "aeiou".contains($0) } ?? false
        if article == "a" { #expect(!isVowel, "\(caption)") }
        if article == "an" { #expect(isVowel, "\(caption)") }
      }
      #expect(words.contains(picture.object.rawValue), "\(caption)")
      if [.scissors, .glasses].contains(picture.object) { #expect(caption.contains("a pair of "), "\(caption)") }
      let said = colours.intersection(words)
      #expect(said.isSubset(of: picture.style.showsColour ? [picture.colour.rawValue] : []), "\(caption)")
      #expect(sizes.intersection(words).isSubset(of: [picture.size.rawValue]), "\(caption)")
      for position in PositionName.allCases where caption.contains(position.phrase) {
        #expect(position == picture.position, "\(caption)")
      }
      for style in Style.allCases where style != picture.style {
        #expect(!caption.contains("\(style.phrase) of"), "\(caption)")
      }
      named += caption.contains("\(picture.style.phrase) of ") ? 1 : 0
      coloured += said.isEmpty ? 0 : 1
      colourful += picture.style.showsColour ? 1 : 0
    }
    #expect((0.46...0.54).contains(Double(named) / 2100))
    #expect((0.49...0.61).contains(Double(coloured) / Double(colourful)))
  }

  @Test func everythingIsSometimesSaidAndSometimesNot() {
    let captions = pictures().map(\.caption)
    for word in ["small ", "large ", "on the left", "at the top", "in the centre", "a photo of ", "."] {
      let share = Double(captions.filter { $0.contains(word) }.count) / 2100
      #expect((0.02...0.6).contains(share), "\(word): \(share)")
    }
  }
}
