import BanyanFoundation
import BanyanTasks
import Testing

/// A suite that was never on a disk: each sample's content is named by its hash.
private func suite(
  tasks: [String] = ["t", "u"], classes: [String] = ["a", "b", "c"], images: Int = 20, splits: [Split?] = [nil]
) -> TaskSuite {
  TaskSuite(
    root: "/r",
    tasks: tasks.map { task in
      ClassificationTask(
        name: task, classNames: classes,
        samples: classes.indices.flatMap { label in
          (0..<images).map { i in
            Sample(
              path: "\(task)/\(classes[label])/\(i).jpg", label: label, split: splits[i % splits.count],
              sha256: "\(task)-\(classes[label])-\(i)")
          }
        })
    })
}

private func draw(
  _ suite: TaskSuite, _ amount: SamplingAmount, validation: Int? = nil, seed: UInt64 = 1
) throws -> [TaskSplit] {
  try suite.split(SamplingPlan(amount: amount, validationShots: validation, seed: seed))
}

private func ofClass(_ samples: [Sample], _ label: Int) -> [String] {
  samples.filter { $0.label == label }.map(\.sha256)
}

struct TaskSamplingTests {
  @Test func `draws the asked number of each class and tests on the rest`() throws {
    let splits = try draw(suite(), .shots(8))
    #expect(splits.map(\.task) == ["t", "u"])
    for split in splits {
      for label in 0..<3 {
        #expect(ofClass(split.train, label).count == 8)
        #expect(ofClass(split.validation, label).count == 4)
        #expect(ofClass(split.test, label).count == 8)
      }
    }
    #expect(try draw(suite(), .shots(2))[0].validation.count == 6)
    #expect(try draw(suite(), .shots(2), validation: 0)[0].validation.isEmpty)
    #expect(try draw(suite(), .shots(2), validation: 7)[0].validation.count == 21)
  }

  @Test func `what one task learns from no other task is tested on`() throws {
    // The same pictures under two tasks, whose draws differ.
    var shared = suite(images: 30)
    shared.tasks[1].samples = shared.tasks[0].samples
    for seed in 0..<20 {
      let splits = try draw(shared, .shots(4), seed: UInt64(seed))
      let learned = Set(splits.flatMap { $0.train + $0.validation }.map(\.sha256))
      for split in splits {
        #expect(split.train.count == 12 && split.validation.count == 12)
        #expect(!split.test.isEmpty && learned.isDisjoint(with: split.test.map(\.sha256)))
      }
    }
  }

  @Test func `a given test picture that another task learns from is refused or left out`() throws {
    var shared = suite(images: 20, splits: [.train, .train, .train, .test])
    shared.tasks[1].samples = shared.tasks[0].samples.map { sample in
      var copy = sample
      copy.split = sample.split == .test ? .train : .test
      return copy
    }
    let plan = SamplingPlan(amount: .shots(2), validationShots: 1, seed: 1)
    let error = #expect(throws: BanyanError.self) { try shared.split(plan) }
    #expect(error?.kind == .malformed)
    #expect(error?.description.contains("same content") == true && error?.description.contains("task u") == true)
    let splits = try shared.split(plan, dropDuplicates: true)
    let learned = Set(splits.flatMap { $0.train + $0.validation }.map(\.sha256))
    for split in splits { #expect(learned.isDisjoint(with: split.test.map(\.sha256))) }
  }

  @Test func `train, validation and test share no content for 100 seeds`() throws {
    var doubled = suite(images: 12)
    for index in doubled.tasks.indices {
      doubled.tasks[index].samples += doubled.tasks[index].samples.map { sample in
        var copy = sample
        copy.path = "copy/" + sample.path
        return copy
      }
    }
    for seed in 0..<100 {
      for split in try draw(doubled, .shots(4), seed: UInt64(seed)) {
        let sides = [split.train, split.validation, split.test].map { Set($0.map(\.sha256)) }
        #expect(sides[0].isDisjoint(with: sides[1]) && sides[0].isDisjoint(with: sides[2]))
        #expect(sides[1].isDisjoint(with: sides[2]))
        #expect(sides.map(\.count) == [12, 12, 12])
        // Training and validation hold one file of a content, testing all.
        #expect([split.train.count, split.validation.count, split.test.count] == [12, 12, 24])
        try split.checkDisjoint()
      }
    }
  }

  @Test func `the draw of k shots begins the draw of 2k, and validation stays`() throws {
    for seed in 0..<20 {
      let draws = try [1, 2, 4, 8, 15].map { try draw(suite(), .shots($0), seed: UInt64(seed))[1] }
      for (small, large) in zip(draws, draws.dropFirst()) {
        for label in 0..<3 {
          #expect(ofClass(large.train, label).starts(with: ofClass(small.train, label)))
          #expect(ofClass(large.validation, label).starts(with: ofClass(small.validation, label)))
        }
      }
      #expect(draws[2].validation == draws[4].validation)
    }
  }

  @Test func `a draw depends on the seed, the task, the class and the contents alone`() throws {
    let reference = try draw(suite(), .shots(5))[1]
    #expect(try draw(suite(), .shots(5)) == draw(suite(), .shots(5)))
    // Without the other task, and after tasks that were not there.
    #expect(try draw(suite(tasks: ["u"]), .shots(5)) == [reference])
    #expect(try draw(suite(tasks: ["z", "u", "t"]), .shots(5))[1] == reference)
    // With other file names in another order.
    var renamed = suite(tasks: ["u"])
    renamed.tasks[0].samples.reverse()
    for index in renamed.tasks[0].samples.indices { renamed.tasks[0].samples[index].path = "\(999 - index).png" }
    let other = try draw(renamed, .shots(5))[0]
    for label in 0..<3 {
      #expect(ofClass(other.train, label) == ofClass(reference.train, label))
      #expect(ofClass(other.validation, label) == ofClass(reference.validation, label))
    }
    // With another class beside.
    #expect(try ofClass(draw(suite(classes: ["a", "b"]), .shots(5))[1].train, 0) == ofClass(reference.train, 0))
    #expect(try draw(suite(), .shots(5), seed: 2)[1].train != reference.train)
    // Tasks of the same contents are drawn apart, and so are classes that only their names tell apart.
    var twins = suite()
    twins.tasks[1].samples = twins.tasks[0].samples
    let pair = try draw(twins, .shots(5))
    #expect(pair[0].train != pair[1].train)
    twins.tasks[0].classNames[0] = "z"
    #expect(try ofClass(draw(twins, .shots(5))[0].train, 0) != ofClass(pair[0].train, 0))
    #expect(try ofClass(draw(twins, .shots(5))[0].train, 1) == ofClass(pair[0].train, 1))
  }

  @Test func `a file more moves no other`() throws {
    let small = try draw(suite(images: 20), .shots(6))[0]
    let large = try draw(suite(images: 21), .shots(6))[0]
    for label in 0..<3 {
      let gone = Set(ofClass(small.train, label)).subtracting(ofClass(large.train, label))
      #expect(gone.count <= 1)
    }
  }

  @Test func `each image is as likely as another to be drawn`() throws {
    var counts: [String: Int] = [:]
    let one = suite(tasks: ["t"], classes: ["a", "b"], images: 10)
    for seed in 0..<2000 {
      let split = try draw(one, .shots(3), validation: 1, seed: UInt64(seed))[0]
      for sample in split.train { counts[sample.path, default: 0] += 1 }
    }
    // 600 expected of each, with a standard deviation of 20.
    #expect(counts.count == 20 && counts.values.allSatisfy { (500...700).contains($0) })
  }

  @Test func `a percentage is of each class, rounded, at least one`() throws {
    let split = try draw(suite(images: 50), .percentage(5))[0]
    #expect(ofClass(split.train, 0).count == 3)
    #expect(ofClass(split.validation, 0).count == 1)
    #expect(ofClass(split.test, 0).count == 46)
    let half = try draw(suite(images: 50), .percentage(60))[0]
    #expect(ofClass(half.train, 1).count == 30 && ofClass(half.validation, 1).count == 3)
    #expect(try ofClass(draw(suite(images: 5), .percentage(1))[0].train, 2).count == 1)
  }

  @Test func `given splits are kept to`() throws {
    let given = suite(images: 40, splits: [.train, .train, .validation, .test])
    let split = try draw(given, .shots(8))[0]
    #expect(split.train.count == 24 && split.train.allSatisfy { $0.split == .train })
    #expect(split.validation.count == 12 && split.validation.allSatisfy { $0.split == .validation })
    #expect(split.test == given.tasks[0].samples.filter { $0.split == .test })
    let all = try draw(given, .all)[0]
    #expect([all.train.count, all.validation.count, all.test.count] == [60, 30, 30])
    expectError(.usage, "class a", "at least 11", "in the validation split, found 10") {
      _ = try draw(given, .shots(8), validation: 11)
    }
  }

  @Test func `validation comes from the given train split where none is given`() throws {
    let given = suite(images: 40, splits: [.train, .train, .train, .test])
    let split = try draw(given, .all)[0]
    #expect([split.train.count, split.validation.count, split.test.count] == [81, 9, 30])
    #expect(split.validation.allSatisfy { $0.split == .train })
    #expect(try draw(given, .shots(26))[0].train.count == 78)
    expectError(.usage, "at least 31", "27 for training, 4 for validation)", "found 30 in the train split", "26 shots")
    {
      _ = try draw(given, .shots(27))
    }
  }

  @Test func `a given train split without a test split leaves the rest to test on`() throws {
    let split = try draw(suite(splits: [.train]), .shots(4))[0]
    #expect(split.test.count == 3 * 12)
    expectError(.usage, "task t", "no test split") { _ = try draw(suite(splits: [.train]), .all) }
    expectError(.usage, "task t", "no test split") { _ = try draw(suite(), .all) }
  }

  @Test func `says which class has too few images and what would work`() throws {
    var uneven = suite()
    uneven.tasks[1].samples.removeAll { $0.label == 1 && $0.sha256.hasSuffix("9") }
    uneven.tasks[1].samples.removeAll { $0.label == 2 && $0.path.hasSuffix("5.jpg") }
    expectError(
      .usage, "task t, class a", "at least 21", "16 for training, 4 for validation, 1 for testing", "found 20",
      "2 other classes have", "at most 15 shots"
    ) { _ = try draw(suite(tasks: ["t"]), .shots(16)) }
    expectError(.usage, "task u, class b", "found 18", "at most 13 shots") { _ = try draw(uneven, .shots(16)) }
    #expect(try draw(uneven, .shots(13)).count == 2)
    expectError(.usage, "at most 13 shots") { _ = try draw(uneven, .shots(14)) }
    expectError(.usage, "at most 7 shots") { _ = try draw(uneven, .shots(8), validation: 10) }
    #expect(try draw(uneven, .shots(7), validation: 10).count == 2)
    expectError(.usage, "at most 16 shots with 1 validation image") { _ = try draw(uneven, .shots(8), validation: 17) }
    expectError(.usage, "at most 3 shots") { _ = try draw(suite(images: 7), .shots(4)) }
    #expect(try draw(suite(images: 7), .shots(3)).count == 2)
    expectError(.usage, "found 2", "Add images") { _ = try draw(suite(images: 2), .shots(1)) }
    expectError(.usage, "smaller share") { _ = try draw(suite(images: 10), .percentage(100)) }
  }

  @Test func `refuses contradictions that loading would have found`() throws {
    var broken = suite()
    broken.tasks[0].samples[3].label = 7
    expectError(.malformed, "t/a/3.jpg", "label out of range: 7 where there are 3") { _ = try draw(broken, .shots(1)) }
    broken = suite()
    broken.tasks[0].samples[0].sha256 = broken.tasks[0].samples[20].sha256
    expectError(.malformed, "t/a/0.jpg", "t/b/0.jpg", "same content") { _ = try draw(broken, .shots(1)) }
    broken = suite(tasks: ["t", "t"])
    expectError(.malformed, "task t", "two tasks have this name") { _ = try draw(broken, .shots(1)) }
    broken = suite(splits: [.train, .test])
    broken.tasks[1].samples[1].sha256 = broken.tasks[1].samples[0].sha256
    expectError(.malformed, "u/a/0.jpg (train)", "u/a/1.jpg (test)") {
      _ = try draw(broken, .shots(9), validation: 1)
    }
  }

  @Test func `a record repeats its run, or says what has changed`() throws {
    let suite = suite()
    let recorded = try draw(suite, .shots(4))
    #expect(try TaskSuite.split(from: recorded, suite: suite) == recorded)
    let file = recorded[1].test[5]
    let index = try #require(suite.tasks[1].samples.firstIndex { $0.path == file.path })
    var changed = suite
    changed.tasks[1].samples[index].sha256 = "other"
    expectError(.malformed, file.path, "content is another") { _ = try TaskSuite.split(from: recorded, suite: changed) }
    changed = suite
    changed.tasks[1].samples[index].label = 2 - file.label + (file.label == 1 ? 1 : 0)
    expectError(.malformed, file.path, "expected the label") { _ = try TaskSuite.split(from: recorded, suite: changed) }
    changed = suite
    changed.tasks[1].samples.remove(at: index)
    expectError(.missingInput, file.path, "the suite does not") {
      _ = try TaskSuite.split(from: recorded, suite: changed)
    }
    changed.tasks.remove(at: 1)
    expectError(.missingInput, "task u", "no such task") { _ = try TaskSuite.split(from: recorded, suite: changed) }
    var mixed = recorded
    mixed[0].test.append(mixed[0].train[0])
    expectError(.malformed, "(train)", "(test)") { _ = try TaskSuite.split(from: mixed, suite: suite) }
  }
}
