import BanyanFoundation
import BanyanTensor
import Foundation
import Testing

@Suite("Damaged and hostile safetensors are errors, never crashes")
struct SafetensorsDamageTests {
  /// A file with this header and `bytes` bytes behind it.
  private func file(_ header: String, bytes: Int = 8, length: UInt64? = nil) -> Data {
    file(Data(header.utf8), bytes: bytes, length: length)
  }

  private func file(_ header: Data, bytes: Int = 8, length: UInt64? = nil) -> Data {
    var data = Data()
    withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { data.append(contentsOf: $0) }
    return data + header + Data(repeating: 0, count: bytes)
  }

  private func entry(_ dtype: String, _ shape: String, _ offsets: String) -> String {
    "{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  private func refused(_ data: Data, _ part: String = "x.safetensors", at location: SourceLocation = #_sourceLocation) {
    expectError("x.safetensors", part, kind: .malformed, at: location) {
      _ = try SafetensorsFile(data, path: "x.safetensors").tree()
    }
  }

  private func sound() throws -> Data {
    try SafetensorsFile.encode(
      ParameterTree([
        "a": .zeros([2, 2]), "b": Tensor([1, 2, 3] as [Int64], shape: [3]), "c": .full([5], 1, dtype: .bool),
        "d": .zeros([0]), "e": .full([], 1, dtype: .bfloat16),
      ]), metadata: ["k": "v"])
  }

  @Test("a file cut at any byte is refused")
  func truncation() throws {
    let data = try sound()
    #expect(throws: Never.self) { try SafetensorsFile(data, path: "x").tree() }
    for count in 0..<data.count { refused(data.prefix(count)) }
  }

  @Test("bytes behind the last tensor are refused")
  func trailing() throws {
    for extra in [1, 7, 8, 4096] { refused(try sound() + Data(count: extra), "the file has") }
  }

  @Test("two thousand files with flipped bytes either read or throw")
  func flips() throws {
    let data = try sound()
    var generator = SeededGenerator(seed: 11)
    var (read, thrown) = (0, 0)
    for _ in 0..<2_000 {
      var copy = data
      // Mostly in the header, which has more to say.
      for _ in 0...generator.integer(below: 3) {
        copy[generator.integer(below: copy.count)] ^= UInt8(1 << generator.integer(below: 8))
      }
      do {
        let tree = try SafetensorsFile(copy, path: "x").tree()
        for tensor in tree.tensors { _ = try tensor.doubles() }
        read += 1
      } catch {
        #expect(error is BanyanError)
        thrown += 1
      }
    }
    #expect(read > 50 && thrown > 500, "\(read) read, \(thrown) thrown")
  }

  @Test("six hundred headers with a number replaced either read or throw")
  func numbers() throws {
    let data = try sound()
    let length = Int(data[0]) | Int(data[1]) << 8
    let header = String(decoding: data[8..<8 + length], as: UTF8.self)
    let wild = [
      "-1", "0", "1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e300", "1e999",
      "0.5", "null", "[]", "{}", "\"2\"", "4611686018427387904", "3", "18446744073709551616",
    ]
    let places = header.matches(of: /[0-9]+/).map(\.range)
    var generator = SeededGenerator(seed: 12)
    for _ in 0..<600 {
      var text = header
      text.replaceSubrange(
        places[generator.integer(below: places.count)], with: wild[generator.integer(below: wild.count)])
      do {
        for tensor in try SafetensorsFile(file(text, bytes: data.count - 8 - length), path: "x").tree().tensors {
          _ = try tensor.bytes()
        }
      } catch { #expect(error is BanyanError) }
    }
  }

  @Test(
    "lengths of the header that cannot be", arguments: [9, 100, 1 << 40, UInt64(Int64.max), UInt64.max - 7, UInt64.max])
  func headerLengths(_ length: UInt64) {
    refused(file("{}", bytes: 0, length: length), "\(length)")
  }

  @Test("headers that are no JSON, no object, or no text")
  func headerForms() {
    refused(Data())
    refused(file("", bytes: 0))
    refused(file("{", bytes: 0))
    refused(file("[]", bytes: 0), "an object")
    refused(file("3", bytes: 0), "an object")
    refused(file("{\"a\":3}"), "dtype")
    refused(file("{\"a\":{}}"), "dtype")
    refused(file("{} x", bytes: 0))
    refused(file(Data([0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x3A, 0x33, 0x7D])))
    refused(file(Data(count: 64)))
    refused(file(String(repeating: "[", count: 100_000)))
    refused(file("{\"a\":" + String(repeating: "[", count: 400) + String(repeating: "]", count: 400) + "}"))
    refused(file(String(repeating: "{\"a\":", count: 400) + "1" + String(repeating: "}", count: 400)))
  }

  @Test("offsets that are negative, turned, beyond the end, overlapping, or leave a gap")
  func offsets() {
    for pair in [
      "[-8,0]", "[8,0]", "[8,16]", "[0,9223372036854775807]", "[0,16]", "[0]", "[0,4,8]", "[\"0\",\"8\"]", "8",
      "[-9223372036854775808,9223372036854775807]", "[0.5,8.5]", "[null,8]",
    ] {
      refused(file("{\"a\":\(entry("F32", "[2]", pair))}"), "a")
    }
    let (low, high) = (entry("F32", "[1]", "[0,4]"), entry("F32", "[1]", "[4,8]"))
    #expect(throws: Never.self) { try SafetensorsFile(file("{\"a\":\(low),\"b\":\(high)}"), path: "x").tree() }
    refused(file("{\"a\":\(low),\"b\":\(low)}"), "start at 4")
    refused(file("{\"a\":\(low),\"b\":\(entry("F32", "[1]", "[3,7]"))}"), "start at 4")
    refused(file("{\"a\":\(low),\"b\":\(high)}", bytes: 12), "the file has 12")
    refused(file("{\"b\":\(high)}"), "start at 0")
  }

  @Test("types and shapes that do not fit their bytes")
  func shapes() {
    refused(file("{\"a\":\(entry("F8_E4M3", "[8]", "[0,8]"))}"), "F8_E4M3")
    refused(file("{\"a\":\(entry("f32", "[2]", "[0,8]"))}"), "F32")
    for shape in [
      "[3]", "[1]", "[]", "[-2]", "[-1,-2]", "[1.5]", "[\"2\"]", "2", "[0]", "[2,9223372036854775807]",
      "[4611686018427387904,4]", "[9223372036854775807,9223372036854775807]", "[1e300]", "[null]",
    ] {
      refused(file("{\"a\":\(entry("F32", shape, "[0,8]"))}"), "a")
    }
  }

  @Test("empty tensors with absurd other extents either read or throw")
  func absurdEmptyShapes() {
    for shape in [
      "[0,4611686018427387904]", "[0,4611686018427387904,4611686018427387904]", "[4611686018427387904,4,0]",
      "[9223372036854775807,0]",
    ] {
      do {
        let tree = try SafetensorsFile(file("{\"a\":\(entry("F32", shape, "[0,0]"))}", bytes: 0), path: "x").tree()
        for tensor in tree.tensors {
          #expect(tensor.count == 0)
          #expect(try tensor.doubles() == [])
        }
      } catch { #expect(error is BanyanError) }
    }
  }

  @Test("a truth value that is neither 0 nor 1 is refused")
  func truthValues() {
    var data = file("{\"a\":\(entry("BOOL", "[8]", "[0,8]"))}")
    #expect(throws: Never.self) { try SafetensorsFile(data, path: "x").tree() }
    data[data.count - 1] = 2
    refused(data, "a: expected BOOL bytes of 0 or 1")
  }

  @Test("two entries of one name are refused, also where the name is spelled in two ways")
  func duplicates() {
    let (one, same) = (entry("F32", "[2]", "[0,8]"), entry("I64", "[1]", "[0,8]"))
    refused(file("{\"a\":\(one),\"a\":\(same)}"), "same name")
    refused(file("{\"a\":\(one),\"\\u0061\":\(same)}"), "same name")
    refused(file("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}"), "same name")
    refused(file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"},\"a\":\(one)}"), "same name")
    #expect(throws: Never.self) {
      let file = try SafetensorsFile(file("{\"__metadata__\":{\"k:\\\"\":\"a:b\\\\\"},\"a:\":\(one)}"), path: "x")
      #expect(file.metadata == ["k:\"": "a:b\\"])
    }
  }

  @Test("metadata that is no object of texts is refused")
  func metadata() {
    let one = entry("F32", "[2]", "[0,8]")
    for value in ["3", "[]", "{\"k\":1}", "{\"k\":null}", "\"text\""] {
      refused(file("{\"__metadata__\":\(value),\"a\":\(one)}"), "__metadata__")
    }
  }

  @Test("empty tensors may share their place with another, whatever their names")
  func emptyTensors() throws {
    let none = entry("F32", "[0,3]", "[0,0]")
    let full = entry("F32", "[2]", "[0,8]")
    let end = entry("I64", "[0]", "[8,8]")
    let tree = try SafetensorsFile(file("{\"z\":\(none),\"m\":\(full),\"a\":\(end)}"), path: "x").tree()
    #expect(tree.paths == ["a", "m", "z"])
    #expect(try tree.require("z").shape == [0, 3])
  }
}
