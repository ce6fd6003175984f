import BanyanFoundation
import BanyanTasks
import Foundation

/// The pictures of a pre-training in two parts: those that are learned from and those that are looked at.
struct PretrainingData {
  /// Both parts, the training pictures first.
  let pictures: [CaptionedPicture]
  /// The indices of the training pictures.
  let training: [Int]
  /// The indices of the held-out pictures.
  let heldOut: [Int]
  /// The names of the pictures' attributes.
  let attributes: [String]
  /// The files, in the order of `pictures`.
  let files: [URL]
  /// SHA-256 over paths, splits, captions and attributes of the whole source.
  let fingerprint: String

  /// Reads and splits the source.
  ///
  /// Held out are the pictures of the validation split; where there is none, a share of the training pictures drawn by
  /// seed. Pictures of the test split are never used. Only `validation.pictures` of those held out are looked at, drawn by
  /// seed too.
  init(_ settings: PretrainingSettings) throws {
    let source = try CaptionedPictures.load(settings.data)
    var train = source.pictures.filter { $0.split == .train || $0.split == nil }
    var held = source.pictures.filter { $0.split == .validation }
    var generator = SeededGenerator(seed: settings.seed, label: "held-out pictures")
    if held.isEmpty {
      let shuffled = generator.shuffled(Array(train.indices))
      let count = Int((settings.validationShare * Double(train.count)).rounded())
      let chosen = Set(shuffled.prefix(count))
      held = train.indices.filter(chosen.contains).map { train[$0] }
      train = train.indices.filter { !chosen.contains($0) }.map { train[$0] }
    }
    if held.count > settings.validation.pictures {
      let chosen = generator.shuffled(Array(held.indices)).prefix(settings.validation.pictures).sorted()
      held = chosen.map { held[$0] }
    }
    guard train.count >= 2 else {
      throw BanyanError(
        .malformed, at: settings.data, "expected at least 2 training pictures, found \(train.count)",
        remedy: "Give more pictures, or mark fewer of them as validation or test.")
    }
    pictures = train + held
    training = Array(0..<train.count)
    heldOut = Array(train.count..<train.count + held.count)
    attributes = source.attributes
    files = pictures.map(source.url)
    fingerprint = Self.fingerprint(source.pictures)
  }

  private static func fingerprint(_ pictures: [CaptionedPicture]) -> String {
    let lines = pictures.map { picture in
      let attributes = picture.attributes.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
      return ([picture.path, picture.split?.rawValue ?? ""] + picture.captions + attributes).joined(separator: "\t")
    }
    return ContentHash.sha256(lines.joined(separator: "\n"))
  }
}
