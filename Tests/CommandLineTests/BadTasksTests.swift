import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import Foundation
import Testing

/// Tasks and pictures that are absent, damaged, doubled or strangely named.
@Suite struct BadTasksTests {
  private let shop: Workshop

  init() throws { shop = try Workshop.open() }

  private func expectRefusal(
    _ outcome: Program.Outcome, _ code: Int32, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.code == code && !outcome.isSignal, "\(outcome)", sourceLocation: sourceLocation)
    for word in words {
      #expect(outcome.err.contains(word), "\(word) in: \(outcome)", sourceLocation: sourceLocation)
    }
    #expect(outcome.out.isEmpty, sourceLocation: sourceLocation)
  }

  private let few = ["--shots", "2", "--seeds", "1"]

  @Test func foldersThatAreNoTasksAreNamed() throws {
    expectRefusal(try shop.train("bad-tasks/a", tasks: "absent"), 66, ["absent"])
    let empty = try shop.smallWorld("empty-class")
    try FileManager.default.createDirectory(
      at: empty.root.appendingPathComponent("ink/nothing"), withIntermediateDirectories: true)
    expectRefusal(try shop.train("bad-tasks/b", tasks: "empty-class", few), 66, ["ink/nothing", "holds no image"])
    try shop.smallWorld("one-class", tasks: ["ink"], classes: ["fish"])
    expectRefusal(try shop.train("bad-tasks/c", tasks: "one-class", few), 65, ["task ink", "two classes"])
    expectRefusal(
      try shop.train("bad-tasks/d", ["--shots", "11"]), 64, ["task chalk, class fish", "found 14", "shots"])
    expectRefusal(try shop.train("bad-tasks/e", few + ["--only", "inc"]), 64, ["inc", "Did you mean ink"])
    for name in "abcde" { #expect(!shop.exists("bad-tasks/\(name)")) }
  }

  @Test func anUnreadablePictureIsNamedOrSkippedAndListed() throws {
    let world = try shop.smallWorld("unreadable")
    let picture = world.picture(0, 1, 4)
    try Data("no picture".utf8).write(to: picture)
    // All pictures are decoded for their features, so whichever is drawn, the bad one is met.
    let path = "ink/key/104.png"
    expectRefusal(try shop.train("bad-tasks/bad", tasks: "unreadable", few), 65, [path])
    let outcome = try shop.train("bad-tasks/skipped", tasks: "unreadable", few + ["--skip-unreadable"])
    #expect(outcome.code == 0 && outcome.err.contains(path), "\(outcome)")
    #expect(outcome.err.contains("Pictures left out: 1"))
    #expect(try shop.record("bad-tasks/skipped").skippedImages == [path])
  }

  @Test func equalContentsInTrainAndTestAreNamedOrDropped() throws {
    let world = try shop.smallWorld("doubled", tasks: ["ink"])
    var rows = ["path,label,task,split"]
    for name in world.classes {
      for number in 0..<10 {
        let split = number < 4 ? "train" : number < 6 ? "val" : "test"
        rows.append("ink/\(name)/\(100 + number).png,\(name),ink,\(split)")
      }
    }
    let (a, b) = (world.picture(0, 2, 0), world.picture(0, 2, 9))
    try Data(contentsOf: a).write(to: b)
    try Data(rows.joined(separator: "\n").utf8).write(to: world.root.appendingPathComponent("list.csv"))
    let words = few + ["--validation-shots", "1"]
    let refused = try shop.train("bad-tasks/doubled", tasks: "doubled/list.csv", words)
    expectRefusal(refused, 65, ["ink/mug/100.png", "ink/mug/109.png", "two splits"])
    let dropped = try shop.train("bad-tasks/dropped", tasks: "doubled/list.csv", words + ["--drop-duplicates"])
    #expect(dropped.code == 0 && dropped.err.contains("ink/mug/109.png"), "\(dropped)")
    #expect(try shop.record("bad-tasks/dropped").skippedImages == ["ink/mug/109.png"])
    #expect(try shop.record("bad-tasks/dropped").tasks["ink"]?.testSamples == 11)
  }

  @Test func ofSeveralListsTheNamedPercentageIsRead() throws {
    let world = try shop.smallWorld("listed", tasks: ["ink"])
    let lists = shop.folder.appendingPathComponent("lists")
    try FileManager.default.createDirectory(at: lists, withIntermediateDirectories: false)
    for (name, numbers) in [("ink_train_5", 0..<2), ("ink_train_10", 0..<4), ("ink_test", 4..<10)] {
      let rows = world.classes.enumerated().flatMap { label, folder in
        numbers.map { "ink/\(folder)/\(100 + $0).png \(label)" }
      }
      try Data(rows.joined(separator: "\n").utf8).write(to: lists.appendingPathComponent("\(name).txt"))
    }
    let words = ["--seeds", "1", "--validation-shots", "0", "--image-root", "listed", "--shots"]
    expectRefusal(
      try shop.train("bad-tasks/lists", tasks: "lists", words + ["2"]), 64, ["5, 10 percent", "data.listPercentage"])
    for (percentage, shots) in [(5, "2"), (10, "4")] {
      let outcome = try shop.train(
        "bad-tasks/lists-\(percentage)", tasks: "lists", words + [shots, "--set", "data.listPercentage=\(percentage)"])
      #expect(outcome.code == 0, "\(outcome)")
    }
    expectRefusal(
      try shop.train("bad-tasks/lists-x", tasks: "lists", words + ["4", "--set", "data.listPercentage=5"]), 64,
      ["shots"])
  }

  @Test func settingsThatDecideNothingAreNamed() throws {
    for (method, settings, idle) in [
      ("hipro", ["affinity.groups=none"], "affinity.groups has"),
      ("hipro", ["affinity.tree=flat", "affinity.steps=3"], "affinity.steps has"),
      ("coop", ["affinity.kind=look-ahead", "affinity.linkage=single"], "affinity.kind, affinity.linkage have"),
    ] {
      let outcome = try shop.train(
        "bad-tasks/idle-\(method)-\(settings.count)", method: method,
        ["--seeds", "1", "--epochs", "1"] + settings.flatMap { ["--set", $0] })
      #expect(outcome.code == 0 && outcome.err.contains("\(idle) no effect"), "\(outcome)")
    }
  }

  @Test func damagedTablesAreNamedWithTheLine() throws {
    let folder = shop.folder.appendingPathComponent("tables")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let cases: [(String, String, Int32, [String])] = [
      ("absent.csv", "path,label\nnone/a.png,a\nnone/b.png,b\n", 66, ["none/a.png"]),
      ("fields.csv", "path,label\na.png,a,b\n", 65, ["fields.csv, line 2", "2 fields"]),
      ("split.csv", "path,label,split\na.png,a,trian\n", 65, ["line 2", "train"]),
      ("none.csv", "path,label\n", 66, ["no rows"]),
    ]
    for (name, text, code, words) in cases {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
      expectRefusal(try shop.train("bad-tasks/\(name)", tasks: "tables/\(name)", few), code, words)
    }
  }

  @Test func strangeNamesServeFromTrainingToClassification() throws {
    let tasks = ["a.b c", "Ünïcode – 任务 🎨", "it's, (a): task;[x]"]
    let world = try shop.smallWorld(
      "strange names", tasks: tasks, classes: ["élan_vital", "🦊", "x-y (z)"], perClass: 8)
    let outcome = try shop.train("strange/run", tasks: "strange names", method: "hipro", few)
    #expect(outcome.code == 0, "\(outcome)")
    let record = try JSONDecoder().decode(JSONValue.self, from: shop.bytes("strange/run/record.json"))
    for task in tasks { #expect(record["tasks"]?[task]?["top1"]?.doubleValue != nil, "\(task)") }
    for words in [
      ["compare", "strange/run"], ["compare", "strange/run", "--format", "markdown"],
      ["compare", "strange/run", "--format", "csv"], ["tree", "strange/run"],
      ["tree", "strange/run", "--format", "newick"], ["evaluate", "--run", "strange/run"],
      ["classify", "--run", "strange/run", "--task", tasks[1], world.picture(1, 1, 0).path],
    ] {
      let shown = try Program.run(words, in: shop.folder)
      #expect(shown.code == 0, "\(words): \(shown)")
    }
    #expect(try shop.train("strange/one", tasks: "strange names", few + ["--only", tasks[1]]).code == 0)
    #expect(try shop.record("strange/one").taskNames == [tasks[1]])
  }

  @Test func classNamesMayDifferByTaskAndMustFitTheTextTower() throws {
    let world = try shop.smallWorld("renamed")
    let description = world.root.appendingPathComponent("tasks.json")
    func describe(_ name: String) throws {
      let names = ["tasks": ["ink": ["classNames": ["fish": name], "templates": ["an ink {}, drawn."]]]]
      try JSONSerialization.data(withJSONObject: names).write(to: description)
    }
    try FileManager.default.removeItem(at: world.root.appendingPathComponent("watercolour/mug"))
    for (index, name) in ["either/or 🙂 fish", "&amp; “fish”"].enumerated() {
      try describe(name)
      for method in Workshop.methods {
        let words = method == "zero-shot" ? ["--threads", "1"] + few : few
        let run = "strange/renamed-\(index)-\(method)"
        let outcome =
          method == "zero-shot"
          ? try Program.run(
            ["train", "--model", Workshop.model, "--tasks", "renamed", "--method", method, "--output", run]
              + words,
            in: shop.folder) : try shop.train(run, tasks: "renamed", method: method, words)
        #expect(outcome.code == 0, "\(method): \(outcome)")
        #expect(try shop.record(run).runs[0].tasks["ink"]?.perClass[name] != nil)
      }
    }
    try describe(String(repeating: "very long ", count: 60))
    for method in ["coop", "hipro"] {
      let outcome = try shop.train("strange/long-\(method)", tasks: "renamed", method: method, few)
      #expect([64, 65].contains(outcome.code) && !outcome.isSignal, "\(outcome)")
      #expect(
        outcome.err.contains("task ink, class name \"very long") && outcome.err.contains("too long"), "\(outcome)")
      #expect(!shop.exists("strange/long-\(method)"))
    }
  }
}
