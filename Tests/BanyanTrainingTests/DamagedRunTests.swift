import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
import BanyanReports
import BanyanTensor
import BanyanTestSupport
import BanyanTraining
import Foundation
import Testing

/// Every damaged file of a run is a clear error or gives the right answer, never a crash and never another answer.
@Suite(.serialized) struct DamagedRunTests {
  private struct Answers: Equatable {
    var record: RunRecord
    var guesses: [[PictureClassifier.Guess]]
    var scores: [String: SeedTaskResult]
  }

  /// How often as many bytes are changed as in the usual tests: `make reliability` sets ten thousand cases in all.
  private static let times: Int = {
    let cases = ProcessInfo.processInfo.environment["BANYAN_DAMAGED_CASES"].flatMap(Int.init) ?? 0
    return max(1, (cases + 457) / 458)
  }()

  private let world: TrainingWorld
  private let bench: Workbench

  init() throws {
    world = try TrainingWorld.open()
    bench = try Workbench(model: TrainingWorld.model(), cache: world.cache)
  }

  private func experiment() -> Experiment {
    world.experiment {
      $0.options = .object(["combine": .string("learned"), "context": .object(["length": .integer(2)])])
      $0.training.earlyStopping = 3
    }
  }

  /// What a user can ask of a run.
  private func answers(_ place: URL) throws -> Answers {
    let run = try FinishedRun(place)
    let classifier = try PictureClassifier(run, seed: 1)
    let picture = try classifier.picture(at: world.pictures.picture(1, 0, 3))
    return Answers(
      record: run.record,
      guesses: try classifier.taskNames.map { try classifier.guesses(picture, task: $0, count: 3) },
      scores: try run.evaluate(seed: 1, bench: bench))
  }

  /// Damages of `data`: cut at several lengths, and `flips` times a single byte changed, or all that follows it cut off.
  private func damages(_ data: Data, name: String, flips: Int) -> [(what: String, bytes: Data)] {
    var list: [(String, Data)] = [0, 1, 7, 8, 9, data.count / 3, data.count - 9, data.count - 1].map {
      ("cut to \($0)", data.prefix($0))
    }
    var generator = SeededGenerator(seed: 5, label: name)
    for number in 0..<flips * Self.times {
      var copy = data
      let place = generator.integer(below: data.count)
      guard number % 8 < 7 else {
        list.append(("cut to \(place)", data.prefix(place)))
        continue
      }
      copy[copy.startIndex + place] ^= UInt8(1 + generator.integer(below: 255))
      list.append(("byte \(place)", copy))
    }
    list.append(("with a byte more", data + [7]))
    // For `scripts/reliability`, which adds them up.
    if Self.times > 1 { print("damaged: \(list.count) cases of \(name)") }
    return list
  }

  @Test func aDamagedFinishedRunIsAnErrorOrGivesTheRightAnswer() throws {
    let place = world.place()
    _ = try world.run(experiment(), at: place)
    let expected = try answers(place)
    let folder = RunFolder(place)
    let files: [(url: URL, flips: Int)] = [
      (folder.record, 60), (folder.manifest(1), 50), (folder.prompts(1), 50), (folder.classifiers(1), 50),
    ]
    var errors = 0
    var cases = 0
    for (url, flips) in files {
      let whole = try Data(contentsOf: url)
      for (what, bytes) in damages(whole, name: url.lastPathComponent, flips: flips) {
        try bytes.write(to: url)
        cases += 1
        do {
          #expect(try answers(place) == expected, "\(url.lastPathComponent), \(what)")
        } catch let error as BanyanError {
          errors += 1
          #expect(!error.subject.isEmpty && !error.message.isEmpty, "\(url.lastPathComponent), \(what): \(error)")
        } catch {
          Issue.record("\(url.lastPathComponent), \(what): \(error) is no BanyanError")
        }
      }
      try FileManager.default.removeItem(at: url)
      let error = #expect(throws: BanyanError.self) { try answers(place) }
      #expect(error?.kind == .missingInput, "\(url.lastPathComponent) absent: \(error as Any)")
      try whole.write(to: url)
    }
    #expect(cases > 240 && errors > 180, "\(errors) errors in \(cases) cases")
    #expect(try answers(place) == expected)
  }

  @Test func aDamagedStoppedRunIsAnErrorOrEndsWithTheRightBytes() throws {
    let experiment = experiment()
    let (whole, stopped) = (world.place(), world.place())
    let record = try world.run(experiment, at: whole)
    let learned = try world.learned(whole)
    #expect(throws: BanyanError.self) { try world.run(experiment, at: stopped, steps: 12) }
    let folder = RunFolder(stopped)
    let files: [(name: String, flips: Int)] = [
      ("seed-1/state.safetensors", 40), ("seed-1/affinity.json", 12), ("experiment.json", 12),
    ]
    var errors = 0
    for (name, flips) in files {
      let url = folder.url.appendingPathComponent(name)
      for (what, bytes) in damages(try Data(contentsOf: url), name: name, flips: flips) {
        let copy = world.place()
        defer { try? FileManager.default.removeItem(at: copy) }
        try FileManager.default.copyItem(at: stopped, to: copy)
        try bytes.write(to: copy.appendingPathComponent(name))
        do {
          #expect(try world.run(experiment, at: copy, .resume).comparable() == record.comparable(), "\(name), \(what)")
          #expect(try world.learned(copy) == learned, "\(name), \(what)")
        } catch let error as BanyanError {
          errors += 1
          #expect(error.subject.contains((name as NSString).lastPathComponent), "\(name), \(what): \(error)")
          #expect(!RunFolder(copy).holdsRecord)
        } catch {
          Issue.record("\(name), \(what): \(error) is no BanyanError")
        }
      }
    }
    #expect(errors > 60, "\(errors)")
  }

  @Test func aDamagedResultOfAFinishedSeedIsNotTakenIntoTheRecord() throws {
    let experiment = world.experiment("coop") { $0.seeds = [1, 2] }
    let (whole, stopped) = (world.place(), world.place())
    let record = try world.run(experiment, at: whole)
    #expect(throws: BanyanError.self) { try world.run(experiment, at: stopped, steps: 15) }
    let url = stopped.appendingPathComponent("seed-1/result.json")
    let bytes = try Data(contentsOf: url)
    for (what, damaged) in damages(bytes, name: "result", flips: 40) {
      let copy = world.place()
      defer { try? FileManager.default.removeItem(at: copy) }
      try FileManager.default.copyItem(at: stopped, to: copy)
      try damaged.write(to: copy.appendingPathComponent("seed-1/result.json"))
      do {
        #expect(try world.run(experiment, at: copy, .resume).comparable() == record.comparable(), "\(what)")
      } catch let error as BanyanError {
        #expect(error.subject.contains("result.json") && error.kind == .malformed, "\(what): \(error)")
        #expect(!RunFolder(copy).holdsRecord)
      }
    }
  }

  @Test func aDamagedCheckpointIsAnErrorOrTheSameCheckpoint() throws {
    let copy = world.place()
    try FileManager.default.copyItem(at: EmbeddedCheckpoint.folder(), to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    func contents() throws -> (CLIPConfiguration, String, [Int32], String, [UInt8]) {
      let checkpoint = try Checkpoint(folder: copy)
      let planes = try ImagePreprocessor(contentsOf: copy.appending(path: "preprocessor_config.json")).fingerprint
      let tokens = try CLIPTokenizer(folder: copy).encode("a pencil drawing of a key").ids
      let scale = try checkpoint.model().parameters.require("logitScale").bytes()
      return (checkpoint.configuration, try checkpoint.fingerprint(), tokens, planes, Array(scale))
    }
    let expected = try contents()
    let names = try FileManager.default.contentsOfDirectory(atPath: copy.path).filter { $0 != "README.md" }.sorted()
    #expect(names.count == 7)
    var errors = 0
    for name in names {
      let url = copy.appending(path: name)
      let whole = try Data(contentsOf: url)
      for (what, bytes) in damages(whole, name: name, flips: 12) {
        try bytes.write(to: url)
        do {
          let found = try contents()
          #expect(found == expected, "\(name), \(what)")
        } catch let error as BanyanError {
          errors += 1
          #expect(!error.message.isEmpty && !error.remedy.isEmpty, "\(name), \(what): \(error)")
        } catch {
          Issue.record("\(name), \(what): \(error) is no BanyanError")
        }
      }
      try whole.write(to: url)
    }
    // A list that is cut to nothing checks nothing; all other damages are found.
    #expect(errors > 130, "\(errors)")
  }

  @Test func aDamagedCacheEntryIsMadeAnew() throws {
    let root = world.place()
    defer { try? FileManager.default.removeItem(at: root) }
    let cache = FeatureCache(root: root, model: "m", preprocessing: "p", width: 64)
    let feature = (0..<64).map { Float($0) / 7 }
    try cache.write(feature, key: "ab12")
    let folder = try #require(cache.folder)
    let url = folder.appending(path: "ab/ab12")
    let whole = try Data(contentsOf: url)
    for (what, bytes) in damages(whole, name: "entry", flips: 60) {
      try bytes.write(to: url)
      #expect(cache.read("ab12") == nil, "\(what)")
    }
    try cache.write(feature, key: "ab12")
    #expect(cache.read("ab12") == feature)
  }

  @Test func filesOfTwoRunsAreNotMixed() throws {
    let (first, second) = (world.place(), world.place())
    _ = try world.run(world.experiment("coop"), at: first)
    _ = try world.run(world.experiment("coop-mt"), at: second)
    for name in ["prompts.json", "prompts.safetensors", "classifiers.safetensors"] {
      let copy = world.place()
      try FileManager.default.copyItem(at: first, to: copy)
      let target = copy.appendingPathComponent("seed-1/\(name)")
      try FileManager.default.removeItem(at: target)
      try FileManager.default.copyItem(at: second.appendingPathComponent("seed-1/\(name)"), to: target)
      let error = #expect(throws: BanyanError.self) { try answers(copy) }
      #expect(error?.kind == .malformed && error?.subject.contains("prompts.json") == true, "\(name): \(error as Any)")
    }
  }
}
