import BanyanFoundation
import Foundation
import Testing

/// What tasks say of one picture: probabilities by task and class.
typealias Answers = [String: [String: Double]]

extension Answers {
  /// A picture of an answer of `/classify`.
  init(_ picture: JSONValue?) {
    self = [:]
    for answer in picture?["answers"]?.arrayValue ?? [] { add(answer, "classes") }
  }

  fileprivate mutating func add(_ answer: JSONValue, _ list: String) {
    for guess in answer[list]?.arrayValue ?? [] {
      self[answer["task"]?.stringValue ?? "", default: [:]][guess["name"]?.stringValue ?? ""] =
        guess["probability"]?.doubleValue
    }
  }

  /// Whether both name the same tasks and classes, with probabilities within 1e-5.
  func isClose(to other: Answers) -> Bool {
    keys.sorted() == other.keys.sorted()
      && allSatisfy { task, row in
        row.count == other[task]?.count && row.allSatisfy { abs($0.value - (other[task]?[$0.key] ?? 9)) < 1e-5 }
      }
  }

  /// The same under the names that tasks have where another run has some of these too.
  func named(after run: String) -> Answers { .init(uniqueKeysWithValues: map { ("\(run).\($0.key)", $0.value) }) }
}

extension Workshop {
  /// What `banyan classify` says.
  func classified(_ folder: String, _ picture: URL, _ more: [String] = []) throws -> Answers {
    let words = ["classify", "--run", folder, "--top", "9", "--format", "json"] + more + [picture.path]
    let outcome = try Program.run(words, in: self.folder)
    #expect(outcome.code == 0, "\(outcome)")
    var answers: Answers = [:]
    for answer in try JSONDecoder().decode(JSONValue.self, from: Data(outcome.out.utf8)).arrayValue ?? [] {
      answers.add(answer, "guesses")
    }
    return answers
  }
}

/// A form as a browser sends it.
enum Form {
  static let headers = ["Content-Type": "multipart/form-data; boundary=xyz"]

  static func body(_ parts: [(name: String, file: String?, data: Data)]) -> Data {
    var body = Data("a preamble that nobody reads\r\n".utf8)
    for part in parts {
      let file = part.file.map { "; filename=\"\($0)\"\r\nContent-Type: image/png" } ?? ""
      body += Data("--xyz\r\nContent-Disposition: form-data; name=\"\(part.name)\"\(file)\r\n\r\n".utf8)
      body += part.data + Data("\r\n".utf8)
    }
    return body + Data("--xyz--\r\n".utf8)
  }
}
