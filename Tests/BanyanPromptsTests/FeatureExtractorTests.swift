import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanTensor
import BanyanTestSupport
import Dispatch
import Foundation
import Synchronization
import Testing

/// Cached features: the same numbers as computed ones, whatever has happened to the files.
@Suite struct FeatureExtractorTests {
  /// A folder that goes with the value.
  final class Folder {
    let url = FileManager.default.temporaryDirectory.appending(path: "banyan-features-\(UUID().uuidString)")
    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }
  }

  private static let files = ["rgb-37x53.jpg", "rgb-200x133.jpg", "grey.jpg", "rgb.png", "lossy.webp", "palette-8.png"]

  private func pictures(_ names: [String] = files) throws -> [FeatureExtractor.Picture] {
    try names.map { name in
      let url = Golden.folder.appending(path: "image/\(name)")
      return FeatureExtractor.Picture(url: url, sha256: try ContentHash.sha256(file: url))
    }
  }

  private func cache(_ root: URL?, model: String = "tiny-clip") -> FeatureCache {
    FeatureCache(root: root, model: model, preprocessing: "test", width: 24)
  }

  private func extractor(_ cache: FeatureCache, batchSize: Int = 4) throws -> FeatureExtractor {
    let preprocessor = try ImagePreprocessor(
      contentsOf: TinyCLIP.folder().appending(path: "preprocessor_config.json"))
    return try FeatureExtractor(
      model: TinyCLIP().model, preprocessor: preprocessor, cache: cache, batchSize: batchSize)
  }

  @Test func `cached features are the computed ones to the bit`() throws {
    let folder = try Folder()
    let extractor = try extractor(cache(folder.url))
    let pictures = try pictures()
    let computed = try extractor.features(of: pictures)
    #expect(computed.count.cached == 0 && computed.count.computed == pictures.count)
    #expect(computed.features.shape == [pictures.count, 24])
    let cached = try extractor.features(of: pictures)
    #expect(cached.count.cached == pictures.count && cached.count.computed == 0)
    #expect(try cached.features.isIdentical(to: computed.features))
    let uncached = try self.extractor(cache(nil)).features(of: pictures)
    #expect(try uncached.features.isIdentical(to: computed.features))
    try agree(
      computed.features.squared().sum([1]), .full([pictures.count], 1), "norms", within: .at(.operation))
    // One by one, and in another order, they are the same pictures.
    for (row, picture) in pictures.enumerated() {
      let alone = try self.extractor(cache(nil)).features(of: [picture]).features
      try agree(alone.select(0, 0), computed.features.select(0, row), "\(picture.url)", within: .shortcut)
    }
    let reversed = try extractor.features(of: pictures.reversed()).features
    for row in pictures.indices {
      let other = try reversed.select(0, pictures.count - 1 - row)
      #expect(try other.isIdentical(to: computed.features.select(0, row)))
    }
  }

  @Test func `another model or preprocessing has entries of its own`() throws {
    let folder = try Folder()
    let (mine, other) = (cache(folder.url), cache(folder.url, model: "other"))
    #expect(mine.folder != other.folder)
    #expect(FeatureCache(root: folder.url, model: "tiny-clip", preprocessing: "x", width: 24).folder != mine.folder)
    try mine.write([Float](repeating: 1, count: 24), key: "abcd")
    #expect(mine.read("abcd") != nil && other.read("abcd") == nil)
  }

  @Test func `pictures of equal content are computed once and shared`() throws {
    let folder = try Folder()
    let copy = folder.url.appending(path: "copy.jpg")
    try FileManager.default.copyItem(at: Golden.folder.appending(path: "image/rgb-37x53.jpg"), to: copy)
    let twin = FeatureExtractor.Picture(url: copy, sha256: try ContentHash.sha256(file: copy))
    let all = try pictures() + [twin] + pictures(["rgb.png"])
    let found = try extractor(cache(nil)).features(of: all)
    #expect(found.count.cached == 0 && found.count.computed == Self.files.count)
    #expect(try found.features.select(0, 6).isIdentical(to: found.features.select(0, 0)))
    #expect(try found.features.select(0, 7).isIdentical(to: found.features.select(0, 3)))
  }

  @Test func `every truncation and 200 random flips of an entry are found and made anew`() throws {
    let folder = try Folder()
    let cache = cache(folder.url)
    let extractor = try extractor(cache)
    let picture = try pictures(["rgb.png"])
    let right = try extractor.features(of: picture).features
    let key = picture[0].sha256
    let entry = try #require(cache.folder).appending(path: "\(key.prefix(2))/\(key)")
    let whole = try Data(contentsOf: entry)
    #expect(whole.count == 6 + 64 + 24 * 4)
    var damages = (0..<whole.count).map { ("truncated to \($0)", whole.prefix($0)) }
    damages.append(("one byte longer", whole + [0]))
    var generator = SeededGenerator(seed: 7, label: "flips")
    for _ in 0..<200 {
      var data = whole
      let (byte, bit) = (generator.integer(below: whole.count), generator.integer(below: 8))
      data[byte] ^= 1 << UInt8(bit)
      damages.append(("bit \(bit) of byte \(byte) flipped", data))
    }
    for (name, data) in damages {
      try data.write(to: entry)
      #expect(cache.read(key) == nil, "\(name)")
      let again = try extractor.features(of: picture)
      #expect(again.count.computed == 1, "\(name)")
      #expect(try again.features.isIdentical(to: right), "\(name)")
      #expect(try Data(contentsOf: entry) == whole, "\(name)")
    }
  }

  @Test func `several extractors at once leave whole entries and agree`() throws {
    let folder = try Folder()
    let cache = cache(folder.url)
    let pictures = try pictures()
    let expected = try extractor(self.cache(nil)).features(of: pictures).features
    let extractor = try extractor(cache, batchSize: 2)
    let outcomes = Mutex<[Bool]>([])
    DispatchQueue.concurrentPerform(iterations: 6) { _ in
      for _ in 0..<5 {
        let same = try? extractor.features(of: pictures).features.largestDifference(from: expected) < 1e-6
        outcomes.withLock { $0.append(same == true) }
      }
    }
    #expect(outcomes.withLock { $0 } == [Bool](repeating: true, count: 30))
    #expect(pictures.allSatisfy { cache.read($0.sha256) != nil })
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
    #expect(!names.contains { $0.hasSuffix(".partial") })
  }

  @Test func `views differ from each other, repeat, and are cached apart`() throws {
    let folder = try Folder()
    let extractor = try extractor(cache(folder.url))
    let picture = try pictures(["rgb-200x133.jpg"])
    let views: [FeatureExtractor.View] = [.centre, .augmented(0), .augmented(1), .augmented(2)]
    let found = try views.map { try extractor.features(of: picture, view: $0) }
    #expect(found.allSatisfy { $0.count.computed == 1 })
    for i in views.indices {
      for j in 0..<i { #expect(try !found[i].features.isIdentical(to: found[j].features), "\(i), \(j)") }
      let again = try extractor.features(of: picture, view: views[i])
      #expect(again.count.cached == 1)
      #expect(try again.features.isIdentical(to: found[i].features))
      let anew = try self.extractor(cache(nil)).features(of: picture, view: views[i]).features
      #expect(try anew.isIdentical(to: found[i].features))
    }
  }

  @Test func `an unreadable picture is named, and those before it are kept`() throws {
    let folder = try Folder()
    let bad = folder.url.appending(path: "broken.jpg")
    try Data("no picture".utf8).write(to: bad)
    let cache = cache(folder.url)
    let good = try pictures()
    let all = good + [FeatureExtractor.Picture(url: bad, sha256: "00ff")]
    let error = #expect(throws: BanyanError.self) { try extractor(cache, batchSize: 2).features(of: all) }
    #expect(error?.description.contains("broken.jpg") == true)
    #expect(good.allSatisfy { cache.read($0.sha256) != nil })
    let absent = FeatureExtractor.Picture(url: folder.url.appending(path: "absent.png"), sha256: "11")
    let missing = #expect(throws: BanyanError.self) { try extractor(cache).features(of: [absent]) }
    #expect(missing?.description.contains("absent.png") == true)
  }

  @Test func `stopping keeps what was computed, and a picture in memory gives the same feature`() throws {
    let folder = try Folder()
    let cache = cache(folder.url)
    let pictures = try pictures()
    var asked = 0
    let error = #expect(throws: BanyanError.self) {
      try extractor(cache, batchSize: 2).features(
        of: pictures,
        shouldStop: {
          asked += 1; return asked > 2
        })
    }
    #expect(error?.kind == .interrupted)
    #expect(pictures.filter { cache.read($0.sha256) != nil }.count == 4)
    let image = try ImageDecoder.decode(contentsOf: pictures[0].url)
    let feature = try extractor(self.cache(nil)).feature(of: image)
    try agree(
      feature, extractor(self.cache(nil)).features(of: [pictures[0]]).features, "in memory", within: .shortcut)
    #expect(try extractor(cache).features(of: []).features.shape == [0, 24])
  }

  @Test func `a preprocessor of another size is refused`() throws {
    let error = #expect(throws: BanyanError.self) {
      try FeatureExtractor(model: TinyCLIP().model, preprocessor: .init(imageSize: 33), cache: cache(nil))
    }
    #expect(error?.message.contains("32 × 32") == true && error?.message.contains("33 × 33") == true)
  }
}
