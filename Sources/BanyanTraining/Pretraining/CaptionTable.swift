import BanyanCLIP
import BanyanTasks

/// The captions of pictures as token ids, every distinct one once.
struct CaptionTable: Sendable {
  /// The distinct captions.
  let tokens: [ClassTokens]
  /// Which of them each picture has.
  let ofPicture: [[Int]]
  /// How many captions are longer than the context and lose their end.
  let shortened: Int

  init(_ pictures: [CaptionedPicture], tokenizer: CLIPTokenizer) {
    var numbers: [String: Int] = [:]
    var byTokens: [ClassTokens: Int] = [:]
    var tokens: [ClassTokens] = []
    var shortened = 0
    // Captions repeat: each text is encoded once, and texts that differ in case alone have one number.
    func number(_ caption: String) -> Int {
      if let known = numbers[caption] { return known }
      let encoding = tokenizer.encode(caption)
      if encoding.droppedTokens > 0 { shortened += 1 }
      let sentence = ClassTokens(sentence: encoding.ids)
      let number = byTokens[sentence] ?? tokens.count
      if number == tokens.count {
        tokens.append(sentence)
        byTokens[sentence] = number
      }
      numbers[caption] = number
      return number
    }
    ofPicture = pictures.map { $0.captions.map(number) }
    self.tokens = tokens
    self.shortened = shortened
  }
}
