import CFuzzer
import Foundation

/// Feeds readers with bytes that nobody would write.
///
///     banyan-fuzz TARGET [-runs=N] [-seed=N] FOLDER…
///
/// Built by `scripts/fuzz` it is libFuzzer, with all of its options, which writes new inputs to the first folder. Otherwise
/// all files of the folders are read, and `-runs` changed copies of them.
@main struct Fuzz {
  /// libFuzzer calls a plain function, which cannot carry the target with it.
  nonisolated(unsafe) private static var target = FuzzTarget.json

  static func main() {
    var words = CommandLine.arguments
    guard words.count > 1, let target = FuzzTarget(rawValue: words[1]) else {
      let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
      note("usage: banyan-fuzz TARGET [-runs=N] [-seed=N] FOLDER…, with one of the targets \(names)")
      exit(64)
    }
    words.remove(at: 1)
    self.target = target
    var count = Int32(words.count)
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    let code = arguments.withUnsafeMutableBufferPointer { buffer -> Int32 in
      var base = buffer.baseAddress
      return withUnsafeMutablePointer(to: &base) { pointer in
        pointer.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) { words in
          banyan_fuzz_run(&count, words) { data, size in
            Fuzz.target.read(data.map { Data(bytes: $0, count: size) } ?? Data())
            return 0
          }
        }
      }
    }
    exit(code < 0 ? replay(Array(words.dropFirst())) : code)
  }

  /// Reads known inputs and changed copies of them.
  private static func replay(_ words: [String]) -> Int32 {
    func number(_ flag: String, _ usual: Int) -> Int {
      words.last { $0.hasPrefix("-\(flag)=") }.flatMap { Int($0.dropFirst(flag.count + 2)) } ?? usual
    }
    var inputs: [Data] = []
    for folder in words where !folder.hasPrefix("-") {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      guard !names.isEmpty else {
        note("\(folder): no inputs")
        return 66
      }
      for name in names.sorted() {
        if let data = FileManager.default.contents(atPath: "\(folder)/\(name)") { inputs.append(data) }
      }
    }
    for input in inputs { target.read(input) }
    var mutations = Mutations(of: inputs, seed: UInt64(max(0, number("seed", 1))))
    let runs = number("runs", 1000)
    for _ in 0..<runs { target.read(mutations.next()) }
    print("\(target.rawValue): \(inputs.count) inputs and \(runs) changed copies")
    return 0
  }

  private static func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
