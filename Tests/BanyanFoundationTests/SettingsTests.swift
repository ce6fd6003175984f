import BanyanFoundation
import Foundation
import Testing

@Suite struct SettingsTests {
  struct Training: Codable, Equatable {
    var epochs = 50
    var rate = 0.002
    var schedule = "cosine"
  }
  struct Defaults: Codable, Equatable {
    var name = "run"
    var training = Training()
    var seeds = [1, 2, 3]
    var extra: JSONValue = .object(["known": .integer(1)])
  }

  func apply(_ text: String, open: Set<String> = []) throws -> Defaults {
    let overlay = try JSONDocument.decode(JSONValue.self, from: Data(text.utf8), subject: "overlay")
    return try Settings.apply(overlay, to: Defaults(), subject: "run.json", open: open)
  }

  func failure(_ body: () throws -> Void) -> BanyanError? {
    do {
      try body()
      return nil
    } catch {
      return error as? BanyanError
    }
  }

  @Test func `An overlay changes what it names and nothing else`() throws {
    var expected = Defaults()
    #expect(try apply("{}") == expected)
    expected.training.epochs = 20
    expected.seeds = [7]
    #expect(try apply(#"{"training": {"epochs": 20}, "seeds": [7]}"#) == expected)
  }

  @Test func `An unknown key is refused with its path and the near names`() {
    let error = failure { _ = try apply(#"{"training": {"epoch": 20}}"#) }
    #expect(error?.kind == .usage && error?.subject == "run.json: training.epoch")
    #expect(error?.remedy.contains("Did you mean epochs") == true)
    let far = failure { _ = try apply(#"{"zzzzzzzzzz": 1}"#) }
    #expect(far?.remedy == "Choose one of: extra, name, seeds, training.")
  }

  @Test func `A value that does not fit is refused with its key`() {
    let error = failure { _ = try apply(#"{"training": {"epochs": "many"}}"#) }
    #expect(error?.kind == .usage && error?.subject == "run.json: training.epochs")
    let flat = failure { _ = try apply(#"{"training": 3}"#) }
    #expect(flat?.subject == "run.json: training" && flat?.message == "expected an object, found an integer")
    #expect(failure { _ = try apply("[1]") }?.message.contains("expected an object, found a list") == true)
  }

  @Test func `Any key is allowed below an open path only`() throws {
    #expect(failure { _ = try apply(#"{"extra": {"new": 2}}"#) } != nil)
    let open = try apply(#"{"extra": {"new": 2}}"#, open: ["extra"])
    #expect(open.extra == .object(["known": .integer(1), "new": .integer(2)]))
  }

  @Test func `Two overlays of one object below an open path both count`() throws {
    let base = try JSONDocument.decode(JSONValue.self, from: Data(#"{"a": {"b": 1, "c": 2}}"#.utf8), subject: "base")
    let overlay = try JSONDocument.decode(JSONValue.self, from: Data(#"{"a": {"c": 3}}"#.utf8), subject: "overlay")
    let merged = try Settings.merge(overlay, into: base, path: "", subject: "run.json", open: [""])
    #expect(merged == .object(["a": .object(["b": .integer(1), "c": .integer(3)])]))
  }

  @Test func `Differences are the smallest overlay that restores the value`() throws {
    var changed = Defaults()
    changed.training.schedule = "constant"
    changed.seeds = [4]
    let base = try JSONValue(encoding: Defaults())
    let difference = try #require(Settings.differences(of: JSONValue(encoding: changed), from: base))
    #expect(
      difference == .object(["training": .object(["schedule": .string("constant")]), "seeds": .array([.integer(4)])]))
    #expect(try Settings.apply(difference, to: Defaults(), subject: "x") == changed)
    #expect(Settings.differences(of: base, from: base) == nil)
  }

  @Test func `An assignment reads JSON where it is JSON and text otherwise`() throws {
    #expect(try Settings.overlay(assignment: "a.b=20") == .object(["a": .object(["b": .integer(20)])]))
    #expect(try Settings.overlay(assignment: "a=[1,2]") == .object(["a": .array([.integer(1), .integer(2)])]))
    #expect(try Settings.overlay(assignment: "a=true") == .object(["a": .bool(true)]))
    #expect(try Settings.overlay(assignment: "a=cosine") == .object(["a": .string("cosine")]))
    #expect(try Settings.overlay(assignment: "a=x=y") == .object(["a": .string("x=y")]))
    #expect(try Settings.overlay(assignment: "a=") == .object(["a": .string("")]))
    for bad in ["a", "=1", "a..b=1", ".a=1", "a.=1"] {
      #expect(failure { _ = try Settings.overlay(assignment: bad) }?.kind == .usage, "\(bad)")
    }
  }
}

@Suite struct NamedChoiceTests {
  enum Fruit: String, NamedChoice { case apple, pear }
  struct Basket: Codable { var fruit = Fruit.apple }

  @Test func aWrongWordNamesTheKeyAndTheWordsThatWouldDo() throws {
    let error = #expect(throws: BanyanError.self) {
      try Settings.apply(.object(["fruit": .string("plum")]), to: Basket(), subject: "--set")
    }
    #expect(error?.kind == .usage)
    #expect(error?.description == "--set: fruit: expected one of apple, pear; found plum")
    #expect(try Settings.apply(.object(["fruit": .string("pear")]), to: Basket(), subject: "--set").fruit == .pear)
  }
}
