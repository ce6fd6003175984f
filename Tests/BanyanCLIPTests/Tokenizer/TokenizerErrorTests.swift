import BanyanCLIP
import BanyanFoundation
import Foundation
import Testing

@Suite struct TokenizerErrorTests {
  /// The error of a tokenizer made from `files`.
  private func failure(_ files: [String: String]) throws -> BanyanError {
    try TokenizerGolden.withFolder(files) { folder in
      try #require(throws: BanyanError.self) { _ = try CLIPTokenizer(folder: folder) }
    }
  }

  /// The error of the small vocabulary with one file replaced.
  private func failure(_ name: String, _ text: String?) throws -> BanyanError {
    var files = try TokenizerGolden.smallFiles()
    files[name] = text
    return try failure(files)
  }

  private func edited(_ name: String, _ old: String, _ new: String) throws -> BanyanError {
    let text = try #require(try TokenizerGolden.smallFiles()[name])
    #expect(text.contains(old))
    return try failure(name, text.replacingOccurrences(of: old, with: new))
  }

  @Test func `an empty folder is told what belongs there`() throws {
    let error = try failure([:])
    #expect(error.kind == .missingInput)
    #expect(error.message == "expected vocab.json and merges.txt, or tokenizer.json, found neither")
    #expect(!error.remedy.isEmpty)
  }

  @Test(arguments: ["vocab.json", "merges.txt"])
  func `a missing file is named`(name: String) throws {
    let error = try failure(name, nil)
    #expect(error.kind == .missingInput)
    #expect(error.subject.hasSuffix(name))
  }

  @Test(arguments: ["a", "a b c", " b", "a ", "a  b", ""])
  func `a merge that is not two tokens is named by its line`(line: String) throws {
    let error = try edited("merges.txt", "\nt h\n", "\n\(line)\n")
    #expect(error.kind == .malformed)
    #expect(error.subject.hasSuffix("merges.txt: line 2"))
    #expect(error.message == "expected two tokens with a space between, found \"\(line)\"")
  }

  @Test func `a merge that makes no token of the vocabulary is named`() throws {
    let error = try edited("merges.txt", "\nt h\n", "\nt h\nz q\n")
    #expect(error.kind == .malformed)
    #expect(error.subject.hasSuffix("merges.txt: line 3"))
    #expect(error.message == "expected the merged token in the vocabulary, found zq")
  }

  @Test func `a merge of an unknown token is named`() throws {
    let error = try edited("merges.txt", "\nt h\n", "\nt h\nqqq h\n")
    #expect(error.message == "expected the left token in the vocabulary, found qqq")
  }

  @Test func `merges that are no UTF-8 are refused`() throws {
    let files = try TokenizerGolden.smallFiles()
    let error = try TokenizerGolden.withFolder(files) { folder in
      try AtomicFile.write(Data([0x61, 0x20, 0xFF, 0x0A]), to: folder.appending(path: "merges.txt"))
      return try #require(throws: BanyanError.self) { _ = try CLIPTokenizer(folder: folder) }
    }
    #expect(error.kind == .malformed)
    #expect(error.message == "expected UTF-8, found other bytes")
  }

  @Test(arguments: ["<|startoftext|>", "<|endoftext|>"])
  func `a missing special token is named`(token: String) throws {
    let error = try edited("vocab.json", "\"\(token)\"", "\"other\"")
    #expect(error.kind == .malformed)
    #expect(error.message == "expected the special token \(token), found none")
  }

  @Test func `two tokens with one id are named`() throws {
    let error = try edited("vocab.json", ":913}", ":912}")
    #expect(error.kind == .malformed)
    #expect(error.message == "expected an id of its own, found 912, which is <|endoftext|>'s")
  }

  @Test(arguments: ["914", "-1", "9223372036854775807"])
  func `an id outside the vocabulary is refused`(id: String) throws {
    let error = try edited("vocab.json", ":913}", ":\(id)}")
    #expect(error.kind == .malformed)
    #expect(error.message == "expected an id in 0 ..< 914, found \(id)")
  }

  @Test(arguments: ["", "[]", "{\"a\": \"b\"}", "{\"a\": 1.5}", "{\"a\": 99999999999999999999999}", "{", "\u{0}"])
  func `a vocabulary of another form is refused`(text: String) throws {
    let error = try failure("vocab.json", text)
    #expect(error.kind == .malformed)
    #expect(error.subject.contains("vocab.json"))
  }

  @Test func `an empty vocabulary is refused`() throws {
    let error = try failure(["vocab.json": "{}", "merges.txt": ""])
    #expect(error.kind == .malformed)
  }

  @Test(arguments: [
    (#""type":"BPE""#, #""type":"Unigram""#, "model.type", "expected BPE, found Unigram"),
    (#""end_of_word_suffix":"</w>""#, #""end_of_word_suffix":null"#, "suffix", "expected </w>, found none"),
    (#""continuing_subword_prefix":"""#, #""continuing_subword_prefix":"@""#, "prefix", "expected none, found @"),
    (#""byte_fallback":false"#, #""byte_fallback":true"#, "byte_fallback", "expected false, found true"),
    (#"["t","h"]"#, #"["t","h","e"]"#, "merges", "expected two tokens, found more"),
    (#"["t","h"]"#, #""th""#, "merges", "expected two tokens with a space between"),
    (#"["t","h"]"#, #""z q""#, "model.merges[0]", "expected the merged token in the vocabulary, found zq"),
    (#""lstrip":false"#, #""lstrip":true"#, "special token", "expected one that matches as it is"),
    (#"{"id":913"#, #"{"id":5"#, "model.vocab: <|endoftext|>", "expected one id, found 913 and, as added, 5"),
  ])
  func `a tokenizer.json of another model is refused`(old: String, new: String, key: String, message: String) throws {
    let url = TokenizerGolden.smallJSON.appending(path: "tokenizer.json")
    let text = String(decoding: try AtomicFile.read(url), as: UTF8.self)
    try #require(text.contains(old))
    let error = try failure(["tokenizer.json": text.replacingOccurrences(of: old, with: new)])
    #expect(error.kind == .malformed)
    #expect(error.subject.contains(key), "\(error)")
    #expect(error.message.hasPrefix(message), "\(error)")
  }

  @Test func `merges of tokenizer.json may be one text each`() throws {
    let url = TokenizerGolden.smallJSON.appending(path: "tokenizer.json")
    let text = String(decoding: try AtomicFile.read(url), as: UTF8.self)
    let files = ["tokenizer.json": text.replacingOccurrences(of: #"["t","h"]"#, with: #""t h""#)]
    let tokenizer = try TokenizerGolden.withFolder(files) { try CLIPTokenizer(folder: $0) }
    let other = try CLIPTokenizer(folder: TokenizerGolden.small)
    #expect(tokenizer.tokens(of: "the other moth") == other.tokens(of: "the other moth"))
  }

  @Test func `a configuration of another form is refused`() throws {
    let error = try failure("tokenizer_config.json", #"{"bos_token": 5}"#)
    #expect(error.kind == .malformed)
    #expect(error.subject.contains("tokenizer_config.json: bos_token"))
  }

  @Test func `an added token needs a number as its key`() throws {
    let error = try failure("tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "<a>"}}}"#)
    #expect(error.kind == .malformed)
    #expect(error.subject.hasSuffix("added_tokens_decoder.x"))
  }
}
