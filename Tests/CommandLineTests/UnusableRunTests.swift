import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Foundation
import Synchronization
import Testing

/// Runs and pictures that can be read, but give no numbers.
@Suite struct UnusableRunTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  /// A copy of a run whose classifiers are NaN, sealed as if it had been trained so.
  private func runWithoutNumbers(_ name: String) throws -> String {
    let run = shop.folder.appending(path: "runs/\(name)")
    try FileManager.default.copyItem(at: shop.folder.appending(path: "runs/coop"), to: run)
    for seed in [1, 2] {
      let url = run.appending(path: "seed-\(seed)/classifiers.safetensors")
      let file = try SafetensorsFile(contentsOf: url)
      let tree = try file.tree().mapTensors { try $1 * Double.nan }
      var metadata = file.metadata
      let key = "sha256"
      #expect(metadata.removeValue(forKey: key) != nil)
      metadata[key] = ContentHash.sha256(try SafetensorsFile.encode(tree, metadata: metadata))
      try SafetensorsFile.encode(tree, metadata: metadata).write(to: url)
    }
    return "runs/\(name)"
  }

  @Test func aRunWithoutNumbersIsNotServed() throws {
    let run = try runWithoutNumbers("unusable-served")
    let running = try Program.start(["serve", "--run", run, "--listen", "127.0.0.1:0"], in: shop.folder)
    defer { running.kill(SIGKILL) }
    let outcome = try running.finish()
    #expect(outcome.code == 65 && !outcome.isSignal && outcome.err.contains("finite numbers"), "\(outcome)")
    #expect(!outcome.err.contains("] ready\n"), "\(outcome)")
  }

  @Test func aRunWithoutNumbersDoesNotTakeThePlaceOfOneThatWorks() throws {
    let run = try runWithoutNumbers("unusable-reloaded")
    let link = shop.folder.appending(path: "runs/unusable-link")
    try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "coop")
    let service = try RunningService(["--run", "runs/unusable-link"], in: shop.folder)
    let picture = shop.world.picture(1, 2, 0)
    let truth = try shop.classified("runs/coop", picture)
    let file = try Data(contentsOf: picture)
    #expect(try Answers(service.ask("POST", "/classify", file).json?["pictures"]?.arrayValue?.first).isClose(to: truth))
    let fresh = shop.folder.appending(path: "runs/unusable-next")
    try FileManager.default.createSymbolicLink(
      atPath: fresh.path, withDestinationPath: String(run.dropFirst("runs/".count)))
    #expect(rename(fresh.path, link.path) == 0)
    service.signal(SIGHUP)
    #expect(eventually(within: 60, every: 0.02) { service.log.contains("runs not reloaded") }, "\(service.log)")
    #expect(service.log.contains("finite numbers") && !service.log.contains("runs reloaded"), "\(service.log)")
    #expect(try service.ask("GET", "/v2/health/ready").status == 200)
    #expect(try Answers(service.ask("POST", "/classify", file).json?["pictures"]?.arrayValue?.first).isClose(to: truth))
  }

  @Test func aPictureWithoutNumbersLeavesTheOthersOfItsBatchTheirs() throws {
    // One weight so large that the squares of planes of 10⁴, the most that is taken, are beyond what a float holds.
    let model = try shop.modelCopy("unusable-clip")
    let url = model.appending(path: "model.safetensors")
    let file = try SafetensorsFile(contentsOf: url)
    let name = try #require(file.entries.keys.first { $0.hasSuffix("patch_embedding.weight") })
    let tree = try file.tree().mapTensors { path, tensor in
      guard path == name else { return tensor }
      var values = try tensor.floats()
      values[0] = 1e18
      return try Tensor(values, shape: tensor.shape)
    }
    try SafetensorsFile.encode(tree, metadata: file.metadata).write(to: url)
    let trained = try shop.run(
      "train", "--model", model.path, "--tasks", "world", "--method", "zero-shot", "--shots", "2", "--seeds", "1",
      "--threads", "1", "--output", "runs/unusable-picture")
    #expect(trained.code == 0, "\(trained)")
    // They wait for each other.
    let service = try RunningService(["--run", "runs/unusable-picture", "--gather", "2000"], in: shop.folder)
    let shape =
      try service.ask("GET", "/v2/models/ink").json?["inputs"]?.arrayValue?
      .first { $0["name"]?.stringValue == "pixels" }?["shape"]?.arrayValue?.compactMap(\.doubleValue).map { Int($0) }
      ?? []
    try #require(shape.count == 4)
    let planes = [String](repeating: "1e4", count: 2 * 3 * shape[2] * shape[3]).joined(separator: ",")
    let infer = Data(
      """
      {"inputs":[{"name":"pixels","shape":[2,3,\(shape[2]),\(shape[3])],"datatype":"FP32","data":[\(planes)]}]}
      """.utf8)
    // Where no picture of a batch has numbers they are still the pictures' fault.
    let alone = try service.ask("POST", "/v2/models/ink/infer", infer)
    #expect(alone.status == 422 && alone.error.contains("finite numbers"), "\(alone)")
    // Patches are all but alike to such a tower; three pictures that it tells from each other.
    let all = (0..<27).map { shop.world.picture($0 % 3, $0 / 3 % 3, $0 / 9) }
    let form = try Form.body(all.enumerated().map { ("picture", "\($0)", try Data(contentsOf: $1)) })
    let seen = try service.ask("POST", "/classify", form, headers: Form.headers).json?["pictures"]?.arrayValue ?? []
    var pictures: [URL] = []
    var truths: [Answers] = []
    for (picture, answers) in zip(all, seen.map { Answers($0) })
    where truths.count < 3 && !truths.contains(where: { $0.isClose(to: answers) }) {
      pictures.append(picture)
      truths.append(try shop.classified("runs/unusable-picture", picture))
      #expect(truths[truths.count - 1].isClose(to: answers))
    }
    try #require(truths.count == 3)
    let files = try pictures.map { try Data(contentsOf: $0) }
    func batches() throws -> Int {
      let metrics = String(decoding: try service.ask("GET", "/metrics").data, as: UTF8.self)
      let line = metrics.split(separator: "\n").first { $0.hasPrefix("banyan_batch_pictures_count ") }
      return Int(line?.split(separator: " ").last ?? "") ?? -1
    }
    let before = try batches()
    let found = Mutex<[Int: RunningService.Answer]>([:])
    together(4) { number in
      let answer =
        number == 3
        ? try? service.ask("POST", "/v2/models/ink/infer", infer) : try? service.ask("POST", "/classify", files[number])
      found.withLock { $0[number] = answer }
    }.wait()
    let answers = found.withLock { $0 }
    for number in 0..<3 {
      let answer = try #require(answers[number])
      let picture = Answers(answer.json?["pictures"]?.arrayValue?.first)
      #expect(answer.status == 200 && picture.isClose(to: truths[number]), "\(answer), not \(truths[number])")
    }
    let refused = try #require(answers[3])
    #expect(refused.status == 422 && refused.error.contains("finite numbers"), "\(refused)")
    #expect(try batches() == before + 1)
  }
}
