/// How well pictures and captions find each other.
public struct RetrievalScores: Codable, Sendable, Equatable {
  /// The share of pictures whose caption is the nearest of all distinct captions.
  public var imageToText1: Double
  /// The share of pictures whose caption is among the nearest five.
  public var imageToText5: Double
  /// The share of captions of which a picture is the nearest of all.
  public var textToImage1: Double
  /// The share of captions of which a picture is among the nearest five.
  public var textToImage5: Double
  /// How many pictures were looked at.
  public var pictures: Int
  /// How many distinct captions they have; `1 / captions` is what chance would find.
  public var captions: Int

  /// Scores a table of similarities.
  ///
  /// A rank counts what is strictly nearer than the best right answer, and what is equally near and stands before it.
  ///
  /// - Parameters:
  ///   - similarities: Row by row, one row a picture, one column a distinct caption.
  ///   - captionOfPicture: The column that is right for each row.
  package init(_ similarities: [Float], captionOfPicture: [Int], captions: Int) {
    let pictures = captionOfPicture.count
    var (image1, image5, text1, text5) = (0, 0, 0, 0)
    for (row, own) in captionOfPicture.enumerated() {
      let line = similarities[row * captions..<(row + 1) * captions]
      let best = line[line.startIndex + own]
      let rank = line.enumerated().count { $1 > best || ($1 == best && $0 < own) }
      image1 += rank < 1 ? 1 : 0
      image5 += rank < 5 ? 1 : 0
    }
    for caption in 0..<captions {
      let column = (0..<pictures).map { similarities[$0 * captions + caption] }
      let right = (0..<pictures).filter { captionOfPicture[$0] == caption }
      guard let own = right.max(by: { (column[$0], $1) < (column[$1], $0) }) else { continue }
      let best = column[own]
      let rank = column.enumerated().count { $1 > best || ($1 == best && $0 < own) }
      text1 += rank < 1 ? 1 : 0
      text5 += rank < 5 ? 1 : 0
    }
    func share(_ hits: Int, _ all: Int) -> Double { Double(hits) / Double(max(1, all)) }
    imageToText1 = share(image1, pictures)
    imageToText5 = share(image5, pictures)
    textToImage1 = share(text1, captions)
    textToImage5 = share(text5, captions)
    self.pictures = pictures
    self.captions = captions
  }
}
