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

  @Test func `A seal shows every changed byte and is no part of the value`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "banyan-seal-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appending(path: "sealed.json")
    let value = ["a": 1.25, "b": -3]
    try JSONDocument.write(value, to: url, sealed: true)
    let whole = try Data(contentsOf: url)
    #expect(String(decoding: whole, as: UTF8.self).contains("\n  \"seal\" : \""))
    #expect(try JSONDocument.read([String: Double].self, from: url, sealed: true) == value)
    var refused = 0
    for place in whole.indices {
      for bit in [0, 2, 5] {
        var damaged = whole
        damaged[place] ^= 1 << bit
        try damaged.write(to: url)
        // Where the seal itself cannot be seen any more, the value is whole; or its text is a key like others.
        do {
          let found = try JSONDocument.read([String: Double].self, from: url)
          #expect(found == value, "byte \(place)")
        } catch let error as BanyanError {
          refused += 1
          #expect(error.kind == .malformed)
        }
        #expect(throws: BanyanError.self) { try JSONDocument.read([String: Double].self, from: url, sealed: true) }
      }
    }
    #expect(refused > whole.count * 2)
    // Laid out anew by another program, it is as good as unsealed, and its seal a key like others.
    try Data("{\"a\": 2}".utf8).write(to: url)
    #expect(try JSONDocument.read([String: Double].self, from: url) == ["a": 2])
    let error = #expect(throws: BanyanError.self) {
      try JSONDocument.read([String: Double].self, from: url, sealed: true)
    }
    #expect(error?.message.contains("checksum") == true)
  }
}
