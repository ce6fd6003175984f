import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import Foundation
import Testing

/// Embeddings of tasks, what is recommended by them, and the meta-task, as a user runs them.
@Suite struct EmbedTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  private func json(_ outcome: Program.Outcome) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(outcome.out.utf8))
  }

  /// A copy of a run of the workshop, which other tests compare file by file.
  private func copy(of run: String, _ name: String) throws -> String {
    try FileManager.default.copyItem(
      at: shop.folder.appendingPathComponent(run), to: shop.folder.appendingPathComponent(name))
    return name
  }

  @Test func theNormGrowsWithWhatThereIsToLearnFrom() throws {
    // Achille et al., supplement, figure 2.
    var norms: [Double] = []
    for shots in ["1", "4", "12"] {
      let outcome = try shop.run(
        "embed", "--model", Workshop.model, "--tasks", "world", "--shots", shots, "--draws", "400", "--output",
        "norm-\(shots).json", "--format", "json", "-q")
      #expect(outcome.code == 0, "\(outcome)")
      let found = try json(outcome)["embeddings"]?.arrayValue ?? []
      // In logarithms, so that no task decides alone.
      norms.append(
        found.reduce(0) { sum, embedding in
          let squares = embedding["fisher"]?.arrayValue?.compactMap(\.doubleValue).reduce(0) { $0 + $1 * $1 } ?? 0
          return sum + log(squares) / 2 / Double(found.count)
        })
    }
    #expect(norms[0] < norms[1] && norms[1] < norms[2], "\(norms)")
  }

  @Test func tasksAreEmbeddedOnceAndTheSameCommandGoesOn() throws {
    let words = ["embed", "--model", Workshop.model, "--tasks", "world", "--draws", "48", "--output"]
    let first = try Program.run(words + ["embed-a.json"], in: shop.folder)
    #expect(first.code == 0, "\(first)")
    for word in ["chalk", "ink", "watercolour", "norm", "distance", "tree"] { #expect(first.out.contains(word)) }
    let bytes = try shop.bytes("embed-a.json")
    let again = try Program.run(words + ["embed-a.json", "-q"], in: shop.folder)
    #expect(again.code == 0 && again.out == first.out && again.err.isEmpty)
    // Same seed, same bytes, but for the words that were typed.
    _ = try Program.run(words + ["embed-b.json", "-q", "--format", "json"], in: shop.folder)
    func embeddings(_ data: Data) throws -> JSONValue? {
      try JSONDecoder().decode(JSONValue.self, from: data)["embeddings"]
    }
    #expect(try embeddings(bytes) == embeddings(shop.bytes("embed-b.json")))
    // One task less is no other measurement: what is there serves.
    let part = try Program.run(words + ["embed-a.json", "-q", "--only", "ink"], in: shop.folder)
    #expect(part.code == 0 && !part.out.contains("chalk"))
    // What is there of other tasks stays.
    #expect(try embeddings(shop.bytes("embed-a.json"))?.arrayValue?.count == 3)
    let other = try Program.run(words + ["embed-b.json", "--seed", "2"], in: shop.folder)
    #expect(other.code == 64 && other.err.contains("--overwrite"))
    let replaced = try Program.run(words + ["embed-b.json", "--seed", "2", "--overwrite", "-q"], in: shop.folder)
    #expect(replaced.code == 0)
    #expect(try embeddings(bytes) != embeddings(shop.bytes("embed-b.json")))
    // The same again draws the distances and makes nothing anew.
    let drawn = try Program.run(
      words + ["embed-b.json", "--seed", "2", "--figure", "distances.svg", "-q"], in: shop.folder)
    let distances = String(decoding: try shop.bytes("distances.svg"), as: UTF8.self)
    #expect(drawn.code == 0 && distances.contains(" and ink: "))
    let page = try shop.run(
      "report", "runs/coop", "--embeddings", "embed-b.json", "--output", "embedded.html", "--no-pictures")
    let html = String(decoding: try shop.bytes("embedded.html"), as: UTF8.self)
    #expect(page.code == 0 && html.contains("Which tasks ask for the same") && html.contains("the CLIP image tower"))
    #expect(!html.contains("pixels "))
    let map = try shop.run("map", "--embeddings", "embed-b.json", "--output", "tasks.svg", "-q")
    #expect(map.code == 0 && map.out.contains("3 places"))
    #expect(String(decoding: try shop.bytes("tasks.svg"), as: UTF8.self).contains("watercolour"))
  }

  @Test func theVariationalEstimatorGivesEmbeddingsToo() throws {
    let outcome = try shop.run(
      "embed", "--model", Workshop.model, "--tasks", "world", "--only", "ink,chalk", "--draws", "64", "--estimator",
      "variational", "--output", "embed-v.json", "--format", "json", "-q")
    #expect(outcome.code == 0, "\(outcome)")
    let found = try json(outcome)["embeddings"]?.arrayValue ?? []
    #expect(found.count == 2 && found.allSatisfy { $0["estimator"]?.stringValue?.hasPrefix("variational") == true })
    #expect(found.allSatisfy { ($0["fisher"]?.arrayValue?.count ?? 0) > 100 })
  }

  @Test func tasksOfOtherKindsOnTheSamePicturesAreEmbedded() throws {
    let world = try shop.run(
      "world", "--preset", "strangers", "--pictures", "3", "--output", "dense-world", "--maps", "dense-maps", "-q")
    #expect(world.code == 0, "\(world)")
    let words = [
      "embed", "--model", Workshop.model, "--tasks", "dense-world", "--only", "night", "--kinds",
      "class,mask,depth,edges,brightness", "--draws", "16", "--decoder-steps", "3", "--output", "dense.json",
    ]
    let without = try Program.run(words, in: shop.folder)
    #expect(without.code == 64 && without.err.contains("--maps"), "\(without)")
    let outcome = try Program.run(words + ["--maps", "dense-maps"], in: shop.folder)
    #expect(outcome.code == 0, "\(outcome)")
    for kind in ["class", "mask", "depth", "edges", "brightness"] { #expect(outcome.out.contains("night \(kind)")) }
    let again = try Program.run(words + ["--maps", "dense-maps", "-q"], in: shop.folder)
    #expect(again.code == 0 && again.out == outcome.out && again.err.isEmpty)
    let map = try shop.run("map", "--embeddings", "dense.json", "--output", "dense.svg", "-q")
    #expect(map.code == 0)
    #expect(String(decoding: try shop.bytes("dense.svg"), as: UTF8.self).contains("semantic"))
    let unknown = try Program.run(
      words.map { $0 == "class,mask,depth,edges,brightness" ? "class,smell" : $0 }, in: shop.folder)
    #expect(unknown.code == 64)
  }

  @Test func whatCannotBeEmbeddedIsSaid() throws {
    for (words, code, part) in [
      (["--tasks", "world"], Int32(64), "--model"),
      (["--tasks", "world", "--model", "embedded", "--probe", "x"], 64, "either"),
      (["--tasks", "nowhere", "--model", "embedded"], 66, "nowhere"),
      (["--tasks", "world", "--probe", "nowhere.safetensors"], 66, "nowhere"),
      (["--tasks", "world", "--model", "embedded", "--draws", "0"], 64, "draws"),
      (["--tasks", "world", "--model", "embedded", "--set", "bets=1"], 64, "beta"),
    ] {
      let outcome = try Program.run(["embed", "--output", "no.json"] + words, in: shop.folder)
      #expect(outcome.code == code && outcome.err.contains(part), "\(words): \(outcome)")
    }
    #expect(!shop.exists("no.json"))
    // Where nothing is to be told apart there is nothing to embed.
    try shop.smallWorld("fish-alone", tasks: ["ink"], classes: ["fish"], perClass: 4)
    let one = try shop.run("embed", "--model", Workshop.model, "--tasks", "fish-alone", "--output", "no.json")
    #expect(one.code != 0 && one.err.contains("two classes"), "\(one)")
  }

  @Test func runsAreRecommendedForNewTasks() throws {
    try shop.smallWorld("fresh-world", tasks: ["ink", "night"], perClass: 12, seed: 99)
    let words = [
      "recommend", "--run", "runs/hipro", "--run", "runs/coop", "--tasks", "fresh-world", "--shots", "4", "--draws",
      "48",
    ]
    let plain = try Program.run(words, in: shop.folder)
    #expect(plain.code == 0, "\(plain)")
    #expect(plain.out.contains("→ ") && plain.out.contains("hipro/ink") && plain.out.contains("not measured"))
    let measured = try Program.run(
      words + ["--measure", "--format", "json", "--figure", "experts.svg", "-q"], in: shop.folder)
    #expect(measured.code == 0 && measured.err.isEmpty, "\(measured)")
    let matrix = try JSONDecoder().decode(ExpertMatrix.self, from: Data(measured.out.utf8))
    #expect(matrix.tasks == ["ink", "night"] && matrix.experts.count == 6)
    #expect(matrix.errors.joined().allSatisfy { $0.map { (0...1).contains($0) } ?? false })
    #expect(matrix.isAllowed.joined().allSatisfy { $0 })
    for row in matrix.tasks.indices {
      let nearest = matrix.experts.indices.min { matrix.distances[row][$0] < matrix.distances[row][$1] }
      #expect(matrix.selected[row] == nearest)
    }
    #expect(String(decoding: try shop.bytes("experts.svg"), as: UTF8.self).contains("hipro/ink on night"))
    // A run knows its own tasks' pictures: nothing may be learned from that.
    let own = try Program.run(
      [
        "recommend", "--run", "runs/coop", "--tasks", "world", "--shots", "4", "--draws", "48", "--format", "json",
        "-q",
      ],
      in: shop.folder)
    let allowed = try JSONDecoder().decode(ExpertMatrix.self, from: Data(own.out.utf8)).isAllowed
    #expect(allowed.indices.allSatisfy { !allowed[$0][$0] } && allowed.joined().contains(true))
  }

  @Test func aMetaTaskTrainsExpertsFillsItsMatrixAndGoesOn() throws {
    try shop.smallWorld(
      "meta-world", tasks: ["ink", "night"], classes: ["fish", "key", "mug", "house"], perClass: 9, seed: 5)
    try Data("class,family,order\nfish,f1,animals\nhouse,f2,animals\nkey,f3,things\nmug,f4,things\n".utf8)
      .write(to: shop.folder.appendingPathComponent("taxonomy.csv"))
    let words = [
      "meta-task", "--model", Workshop.model, "--tasks", "meta-world", "--taxonomy", "taxonomy.csv", "--method", "coop",
      "--shots", "4", "--epochs", "2", "--draws", "32", "--most-classes", "4", "--output", "meta",
      "--set", "options.context.length=2", "--set", "threads=1",
    ]
    let first = try Program.run(words, in: shop.folder)
    #expect(first.code == 0, "\(first)")
    for word in ["ink animals", "night things", "→", "Mean error", "Model2Vec"] {
      #expect(first.out.contains(word), "\(word) is not in \(first)")
    }
    let nearest = try shop.bytes("meta/nearest.json")
    let matrix = try JSONDecoder().decode(ExpertMatrix.self, from: nearest)
    #expect(matrix.experts == matrix.tasks && matrix.tasks.count == 4)
    // Nobody is asked about the pictures it has learned from.
    for row in 0..<4 { #expect(!matrix.isAllowed[row][row] && matrix.selected[row] != row) }
    // What is there is not done again.
    try FileManager.default.removeItem(at: shop.folder.appendingPathComponent("meta/nearest.json"))
    let again = try Program.run(words + ["-q"], in: shop.folder)
    #expect(again.code == 0 && again.out == first.out)
    let other = try Program.run(words + ["--seed", "2"], in: shop.folder)
    #expect(other.code == 64 && other.err.contains("other settings"))
    let unknown = try Program.run(
      words.map { $0 == "taxonomy.csv" ? "nowhere.csv" : $0 == "meta" ? "meta-2" : $0 }, in: shop.folder)
    #expect(unknown.code == 66 && !shop.exists("meta-2"))
  }

  @Test func aTreeIsBuiltFromEmbeddings() throws {
    let outcome = try shop.train(
      "runs/hipro-task2vec", method: "hipro",
      ["--affinity", "task2vec", "--seeds", "1", "--set", "affinity.embedding.draws=32"])
    #expect(outcome.code == 0, "\(outcome)")
    let record = try shop.record("runs/hipro-task2vec")
    let affinity = try #require(record.runs[0].affinity)
    #expect(affinity.kind == "task2vec" && affinity.values[0][0] == 1)
    #expect(affinity.values.joined().allSatisfy { (0...1).contains($0) })
    #expect(try shop.run("tree", "runs/hipro-task2vec").out.contains("task2vec"))
  }

  @Test func wordsNearLearnedPromptsAreShown() throws {
    let copy = try copy(of: "runs/hipro", "runs-for-words")
    let outcome = try shop.run("words", "--run", copy, "--top", "2", "--format", "json")
    #expect(outcome.code == 0, "\(outcome)")
    let words = try JSONDecoder().decode(WordsRecord.self, from: Data(outcome.out.utf8))
    // Five nodes of three tasks, two vectors each.
    #expect(words.prompts.count == 5 && words.prompts.allSatisfy { $0.vectors.count == 2 })
    #expect(words.prompts.map(\.name).filter { shop.world.tasks.contains($0) }.count == 3)
    #expect(words.prompts.contains { $0.name == "root: all tasks" })
    for vector in words.prompts.flatMap(\.vectors) {
      #expect(vector.count == 2 && vector[0].distance <= vector[1].distance && !vector[0].word.isEmpty)
    }
    #expect(words.typicalDistance > 0)
    #expect(shop.exists("\(copy)/words/seed-1.json"))
    let report = try shop.run("report", copy, "--output", "words.html")
    #expect(report.code == 0)
    #expect(String(decoding: try shop.bytes("words.html"), as: UTF8.self).contains("What the prompts lie near"))
    let none = try shop.run("words", "--run", "runs/zero-shot")
    #expect(none.code == 64 && none.err.contains("learns no vectors"))
  }

  @Test func theReportShowsWhatWasMistaken() throws {
    let outcome = try shop.run("report", "runs/coop", "--output", "mistakes.html", "--figures", "figures")
    #expect(outcome.code == 0, "\(outcome)")
    let html = String(decoding: try shop.bytes("mistakes.html"), as: UTF8.self)
    #expect(html.contains("Where it fails") && html.contains("data:image/png;base64,"))
    let plain = try shop.run("report", "runs/coop", "--output", "plain.html", "--no-pictures")
    #expect(plain.code == 0)
    #expect(!String(decoding: try shop.bytes("plain.html"), as: UTF8.self).contains("<img"))
    let names = try FileManager.default.contentsOfDirectory(
      atPath: shop.folder.appendingPathComponent("figures").path)
    let painted = names.filter { $0.hasSuffix(".png") }
    #expect(painted.count == names.count / 2 && painted.count > 3)
    for name in painted {
      // A PNG of twice the figure's size, with more than one colour.
      let data = try shop.bytes("figures/\(name)")
      #expect(data.starts(with: [0x89, 0x50, 0x4e, 0x47]) && data.count > 2000, "\(name)")
    }
  }

  @Test func theTestPicturesOfARunAreMapped() throws {
    let copy = try copy(of: "runs/coop", "runs-for-maps")
    let outcome = try shop.run("map", "--run", copy, "--limit", "30", "--format", "json", "-q")
    #expect(outcome.code == 0, "\(outcome)")
    let map = try JSONDecoder().decode(MapRecord.self, from: Data(outcome.out.utf8))
    #expect(Set(map.places.map(\.group)) == Set(shop.world.tasks) && map.places.count >= 27)
    #expect(shop.exists("\(copy)/maps/features-seed-1.json"))
    let report = try shop.run("report", copy, "--output", "mapped.html")
    #expect(report.code == 0)
    #expect(String(decoding: try shop.bytes("mapped.html"), as: UTF8.self).contains("What lies near what"))
    #expect(try shop.run("map").code == 64)
    #expect(try shop.run("map", "--toy", "--run", "runs/coop").code == 64)
  }
}
