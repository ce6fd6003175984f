import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

/// What a run has learned, for other programs.
@Suite struct ExportTests {
  private let shop: Workshop
  private static let python = ProcessInfo.processInfo.environment["BANYAN_CHECKS_PYTHON"].flatMap {
    $0.isEmpty ? nil : $0
  }

  init() throws { shop = try Workshop.open() }

  @Test func matricesAreThoseOfTheRunToTheBit() throws {
    let outcome = try shop.run("export", "--run", "runs/hipro", "--output", "exports/bits", "--form", "classifiers")
    #expect(outcome.code == 0, "\(outcome)")
    let saved = try SafetensorsFile(
      contentsOf: shop.folder.appending(path: "runs/hipro/seed-1/classifiers.safetensors"))
    let written = try SafetensorsFile(
      contentsOf: shop.folder.appending(path: "exports/bits/classifiers/classifiers.safetensors"))
    let about = try JSONDecoder().decode(JSONValue.self, from: shop.bytes("exports/bits/classifiers/tasks.json"))
    #expect(about["tasks"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["chalk", "ink", "watercolour"])
    for index in 0..<3 {
      let key = "tasks.\(index).classifier"
      let tensor = try saved.tensor(key)
      #expect(try tensor.isIdentical(to: written.tensor(key)))
      let array = try shop.bytes("exports/bits/classifiers/task-\(index).npy")
      // The values stand at the end, and begin at a multiple of 64.
      #expect(array.count % 64 == (4 * tensor.count) % 64 && array.starts(with: [0x93, 0x4E, 0x55]))
      let floats = try tensor.floats()
      let tail = array.suffix(4 * floats.count)
      #expect(Data(tail) == floats.withUnsafeBytes { Data($0) })
    }
    let again = try shop.run("export", "--run", "runs/hipro", "--output", "exports/bits", "--form", "classifiers")
    #expect(again.code == 64 && again.err.contains("--overwrite"))
    #expect(
      try shop.run("export", "--run", "runs/hipro", "--output", "exports/bits", "--form", "classifiers", "--overwrite")
        .code == 0)
    // What is not ours is not taken away.
    let mine = shop.folder.appending(path: "exports/mine/classifiers")
    try FileManager.default.createDirectory(at: mine, withIntermediateDirectories: true)
    try Data("years".utf8).write(to: mine.appending(path: "thesis.txt"))
    let refused = try shop.run("export", "--run", "runs/hipro", "--output", "exports/mine", "--overwrite")
    #expect(refused.code == 64 && FileManager.default.fileExists(atPath: mine.appending(path: "thesis.txt").path))
    // Somebody's adapter of another kind is not ours either.
    let foreign = shop.folder.appending(path: "exports/foreign/adapter")
    try FileManager.default.createDirectory(at: foreign, withIntermediateDirectories: true)
    let config = foreign.appending(path: "adapter_config.json")
    try Data(#"{"peft_type": "LORA", "r": 8}"#.utf8).write(to: config)
    let kept = try shop.run(
      "export", "--run", "runs/hipro", "--output", "exports/foreign", "--form", "adapter", "--overwrite")
    #expect(kept.code == 64 && kept.err.contains("no export of Banyan"), "\(kept)")
    #expect(try String(contentsOf: config, encoding: .utf8).contains("LORA"))
  }

  @Test func whatAMethodCannotLeaveIsSaid() throws {
    let trained = try Program.run(
      [
        "train", "--model", Workshop.model, "--tasks", "world", "--method", "vpt", "--shots", "2", "--seeds", "1",
        "--epochs", "1", "--threads", "1", "--output", "runs/vpt-export", "-q",
      ], in: shop.folder)
    #expect(trained.code == 0, "\(trained)")
    let all = try shop.run("export", "--run", "runs/vpt-export", "--output", "exports/vpt")
    #expect(all.code == 0 && all.out.contains("adapter") && !all.out.contains("classifiers"), "\(all)")
    #expect(all.err.contains("left out classifiers") && all.err.contains("left out transformers"))
    let asked = try shop.run("export", "--run", "runs/vpt-export", "--output", "exports/vpt2", "--form", "transformers")
    #expect(asked.code == 64 && asked.err.contains("image tower"))
    #expect(!shop.exists("exports/vpt2/transformers"))
    let unknown = try shop.run("export", "--run", "runs/hipro", "--output", "exports/x", "--form", "onnx")
    #expect(unknown.code == 64 && unknown.err.contains("transformers"))
  }

  @Test(.enabled(if: python != nil), arguments: ["hipro", "coop", "coop-mt", "zero-shot", "front", "middle", "leaves"])
  func transformersGivesTheSameAnswers(_ method: String) throws {
    let others = [
      "front": ("coop", ["--set", "options.context.position=front"]),
      "middle": ("coop", ["--context-length", "3", "--set", "options.context.position=middle"]),
      "leaves": ("hipro", ["--combine", "individual"]),
    ]
    if let (name, words) = others[method] {
      let trained = try shop.train("runs/\(method)", method: name, words + ["--seeds", "1", "--epochs", "1"])
      #expect(trained.code == 0, "\(trained)")
    }
    let exported = try shop.run("export", "--run", "runs/\(method)", "--output", "exports/\(method)")
    #expect(exported.code == 0 && exported.err.isEmpty, "\(exported)")
    let picture = shop.world.picture(1, 2, 0).path
    let truth = try shop.run(
      "classify", "--run", "runs/\(method)", "--task", "ink", "--top", "9", "--format", "json", picture)
    let file = shop.folder.appending(path: "truth-\(method).json")
    try Data(truth.out.utf8).write(to: file)
    let outcome = try Program.run(
      [
        Checks.script("read_export.py"), "exports/\(method)", "1", picture, file.path,
        "runs/\(method)/seed-1/prompts.safetensors",
      ], in: shop.folder,
      environment: ["HF_HUB_OFFLINE": "1"], program: URL(fileURLWithPath: Self.python ?? ""))
    #expect(outcome.code == 0 && outcome.out.contains("read"), "\(outcome)")
  }
}
