import BanyanFoundation
import Foundation
import Testing

@Suite struct JSONTests {
  struct Document: Codable, Equatable {
    struct Inner: Codable, Equatable { var size: Int }
    var seed: UInt64
    var items: [Inner]
  }

  func failure(_ text: String) -> BanyanError? {
    do {
      _ = try JSONDocument.decode(Document.self, from: Data(text.utf8), subject: "file.json")
      return nil
    } catch {
      return error as? BanyanError
    }
  }

  @Test func `Integers of 64 bits survive as values and as trees`() throws {
    let document = Document(seed: .max, items: [.init(size: .min), .init(size: .max)])
    let data = try JSONDocument.data(document, subject: "x")
    #expect(try JSONDocument.decode(Document.self, from: data, subject: "x") == document)
    // 2⁵³ + 1 is the first integer that a double cannot hold.
    for integer in [Int64.min, -1, 0, 9_007_199_254_740_993, .max] {
      let tree = JSONValue.object(["value": .integer(integer)])
      let bytes = try JSONDocument.data(tree, subject: "x")
      #expect(try JSONDocument.decode(JSONValue.self, from: bytes, subject: "x") == tree)
      #expect(try tree.decode(as: [String: Int64].self) == ["value": integer])
    }
  }

  @Test func `Every kind of value survives the round trip`() throws {
    let tree = JSONValue.object([
      "null": .null, "yes": .bool(true), "number": .number(0.1), "text": .string("a/\"é\n漢"),
      "list": .array([.integer(1), .array([]), .object([:])]),
    ])
    let data = try JSONDocument.data(tree, subject: "x")
    #expect(try JSONDocument.decode(JSONValue.self, from: data, subject: "x") == tree)
    #expect(try JSONValue(encoding: tree) == tree && data.last == 0x0A)
    #expect(String(decoding: data, as: UTF8.self).contains("a/"))
  }

  @Test func `Members are reached by key and by dotted path`() {
    let tree = JSONValue.object(["a": .object(["b": .integer(3)]), "c": .number(2.5), "d": .number(4)])
    #expect(tree[path: "a.b"]?.intValue == 3 && tree["a"]?["b"]?.doubleValue == 3 && tree[path: "a.x"] == nil)
    #expect(tree["c"]?.intValue == nil && tree["d"]?.intValue == 4 && JSONValue.number(1e300).intValue == nil)
    #expect(tree["a"]?.objectValue?.count == 1 && tree["c"]?.stringValue == nil && tree["c"]?.boolValue == nil)
  }

  @Test func `Equal values are equal bytes, whatever the order of keys`() throws {
    var one: [String: Int] = [:]
    var two: [String: Int] = [:]
    for key in 0..<50 { one["k\(key)"] = key }
    for key in (0..<50).reversed() { two["k\(key)"] = key }
    #expect(try JSONDocument.data(one, subject: "x") == JSONDocument.data(two, subject: "x"))
  }

  @Test func `Errors name the file and the key`() {
    #expect(failure(#"{"items": []}"#)?.subject == "file.json: seed")
    #expect(failure(#"{"seed": 1, "items": [{"size": 1}, {"size": "x"}]}"#)?.subject == "file.json: items.[1].size")
    #expect(failure(#"{"seed": -1, "items": []}"#)?.subject.hasPrefix("file.json") == true)
    #expect(failure(#"{"seed": 1, "items": null}"#)?.subject == "file.json: items")
    for text in ["", "{", "nonsense", #"{"seed": 1, "items": [}"#] {
      #expect(failure(text)?.kind == .malformed, "\(text)")
    }
  }

  @Test func `What JSON cannot hold is an error`() {
    for value in [Double.nan, .infinity] {
      #expect(throws: BanyanError.self) { try JSONDocument.data(["x": value], subject: "x") }
    }
  }

  @Test func `An error reads as place, finding and remedy`() {
    let error = BanyanError(.usage, at: "--shots", "expected 1 or more, found 0", remedy: "Use --shots 1.")
    #expect("\(error)" == "--shots: expected 1 or more, found 0. Use --shots 1.")
    #expect("\(BanyanError(.failed, at: "", "it failed"))" == "it failed")
  }
}
