import BanyanFoundation
import BanyanStructure
import Foundation
import Testing

@Suite struct TaskGroupsTests {
  private let names = ["photo", "art", "cartoon", "sketch"]

  @Test func `Groups are canonical however they are given`() throws {
    let groups = try TaskGroups(names: names, groups: [[3], [2, 0], [1]])
    #expect(groups.groups == [[0, 2], [1], [3]])
    #expect(groups.names.indices.map(groups.group) == [0, 1, 0, 2])
    #expect(groups.count == 3 && groups.taskCount == 4)
    #expect(try TaskGroups(names: names, groups: [[1], [0, 2], [3]]) == groups)
    #expect(try TaskGroups(reading: [["art"], ["cartoon", "photo"], ["sketch"]], names: names) == groups)
    #expect(try TaskGroups(names: names, groups: [[1], [0, 3], [2]]) != groups)
    #expect(try TaskGroups.allInOne(names).groups == [[0, 1, 2, 3]])
    #expect(try TaskGroups.none(names).groups == [[0], [1], [2], [3]])
  }

  @Test func `An error names the task that is missing, twice or unknown`() throws {
    let cases: [([[String]], [String])] = [
      ([["photo", "art"], ["cartoon"]], ["missing: sketch"]),
      ([], ["missing: photo, art, cartoon, sketch"]),
      ([["photo", "art"], ["cartoon", "sketch"], ["art"]], ["task art", "in group 1 and in group 3"]),
      ([["photo", "sketch", "sketch"], ["cartoon", "art"]], ["task sketch", "twice in group 1"]),
      ([["photo", "art"], [], ["cartoon", "sketch"]], ["group 2", "expected a task"]),
      ([["photo", "art"], ["carton", "sketch"]], ["group 2", "no task carton", "Did you mean cartoon"]),
    ]
    for (groups, words) in cases {
      let error = try #require(throws: BanyanError.self) { try TaskGroups(reading: groups, names: names) }
      #expect(error.kind == .usage)
      for word in words { #expect(error.description.contains(word), "\(error)") }
    }
    for index in [-1, 4] {
      let error = try #require(throws: BanyanError.self) {
        try TaskGroups(names: names, groups: [[0, 1], [2, 3, index]])
      }
      #expect(error.description.contains("group 2") && error.description.contains("found \(index)"))
    }
    for names in [[], ["a", "a"], ["a", ""]] {
      #expect(throws: BanyanError.self) { try TaskGroups.allInOne(names) }
      #expect(throws: BanyanError.self) { try TaskGroups.none(names) }
      #expect(throws: BanyanError.self) { try TaskGroups.random(names, seed: 0) }
      #expect(throws: BanyanError.self) { try TaskGroups(names: names, groups: [Array(names.indices)]) }
    }
  }

  @Test func `JSON is lists of names and round trips`() throws {
    let groups = try TaskGroups(names: names, groups: [[0, 1], [2], [3]])
    let data = try JSONEncoder().encode(groups)
    #expect(String(bytes: data, encoding: .utf8) == #"[["photo","art"],["cartoon"],["sketch"]]"#)
    #expect(try decode(#"[["photo","art"],["cartoon"],["sketch"]]"#) == groups)
    for seed in 0..<20 as Range<UInt64> {
      let groups = try TaskGroups.random(names, seed: seed)
      let data = try JSONDocument.data(groups, subject: "groups")
      let read = try JSONDocument.decode(TaskGroups.self, from: data, subject: "groups")
      #expect(try read.reordered(to: names) == groups)
      #expect(read.namedGroups == groups.namedGroups)
    }
  }

  @Test func `JSON that is no partition is refused`() throws {
    for text in ["[]", "[[]]", #"[["a"],[]]"#, #"[["a"],["a"]]"#, #"[["a","a"]]"#, #"[["a",""]]"#, "[[0]]", "{}"] {
      #expect(throws: BanyanError.self, "\(text)") { try decode(text) }
    }
    let error = try #require(throws: BanyanError.self) { try decode(#"[["b","a"],["a"]]"#) }
    #expect(error.description.contains("task a") && error.kind == .malformed)
  }

  @Test func `Reordering by names keeps who is with whom`() throws {
    let groups = try TaskGroups(names: names, groups: [[0, 2], [1], [3]])
    let moved = try groups.reordered(to: ["sketch", "cartoon", "art", "photo"])
    #expect(moved.groups == [[0], [1, 3], [2]])
    #expect(try moved.reordered(to: names) == groups)
    #expect(throws: BanyanError.self) { try groups.reordered(to: ["photo", "art", "cartoon"]) }
    #expect(throws: BanyanError.self) { try groups.reordered(to: names + ["clipart"]) }
  }

  @Test func `Random groups are reproducible and every partition is as likely`() throws {
    var counts: [[[Int]]: Int] = [:]
    for seed in 0..<600 as Range<UInt64> {
      let groups = try TaskGroups.random(names, seed: seed)
      #expect(try TaskGroups.random(names, seed: seed) == groups)
      counts[groups.groups, default: 0] += 1
    }
    // 40 are expected of each; chi-squared with 14 degrees of freedom exceeds 29.1 once in a hundred.
    #expect(counts.count == 15)
    let deviation = counts.values.reduce(0) { $0 + Double(($1 - 40) * ($1 - 40)) / 40 }
    #expect(deviation < 29.1, "\(counts)")
  }

  @Test func `Random groups of many tasks have the sizes of a uniform partition`() throws {
    #expect(try TaskGroups.random(["only"], seed: 1).groups == [[0]])
    // The mean number of groups of n tasks is B(n + 1) / B(n) − 1, for 8 tasks 21147 / 4140 − 1 = 4.108.
    let eight = (0..<8).map { "task \($0)" }
    let mean = try (0..<1000 as Range<UInt64>).reduce(0.0) { try $0 + Double(TaskGroups.random(eight, seed: $1).count) }
    #expect(abs(mean / 1000 - 4.108) < 0.12)
    let many = (0..<500).map { "task \($0)" }
    let groups = try TaskGroups.random(many, seed: 1)
    #expect(groups.groups.joined().sorted() == Array(0..<500) && groups.count > 90 && groups.count < 130)
  }

  private func decode(_ text: String) throws -> TaskGroups {
    try JSONDocument.decode(TaskGroups.self, from: Data(text.utf8), subject: "groups")
  }
}
