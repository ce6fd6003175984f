import BanyanCLIP
import BanyanFoundation
import BanyanPrompts
public import BanyanReports
import BanyanStructure
import BanyanTensor
import Foundation

extension FinishedRun {
  /// The words nearest to every vector of the prompts that a seed has learned.
  ///
  ///     d(v, e) = ‖v − e‖₂ over all embeddings e of the vocabulary but the start and the end of a text
  ///
  /// - Parameters:
  ///   - seed: Which seed.
  ///   - bench: The run's checkpoint.
  ///   - count: How many words for a vector.
  /// - Throws: A `BanyanError` of kind `usage` where the run has learned no vectors among the words.
  public func nearestWords(seed: UInt64, bench: Workbench, count: Int = 3) throws -> WordsRecord {
    guard (1...100).contains(count) else {
      throw BanyanError(.usage, at: "--top \(count)", "expected 1 to 100 words")
    }
    let saved = try SavedPrompts(folder, seed: seed)
    let table = try bench.model.parameters.require("text.tokenEmbedding.weight").to(device: .cpu)
    let (size, width) = (table.extent(0), table.extent(1))
    let contexts = saved.parameters.paths.filter { path in
      path.hasSuffix(".context") && saved.parameters[path].map { $0.shape.count == 2 && $0.extent(1) == width } ?? false
    }
    guard !contexts.isEmpty else {
      throw BanyanError(
        .usage, at: folder.url.path, "\(record.methodTitle) learns no vectors that stand among words",
        remedy: "Choose a run of a method that learns text prompts.")
    }
    let left: Set<Int> = [Int(bench.tokenizer.startToken), Int(bench.tokenizer.endToken)]
    let squares = try table.squared().sum([1])  // [words]
    func distances(_ vectors: Tensor) throws -> [[Double]] {
      let own = try vectors.squared().sum([1], keepingAxes: true)
      let squared = try (own + squares - vectors.matmul(table.transposed()) * 2).doubles()
      return (0..<vectors.extent(0)).map { row in
        squared[row * size..<(row + 1) * size].enumerated().map {
          left.contains($0.offset) ? .infinity : max(0, $0.element).squareRoot()
        }
      }
    }
    let prompts = try contexts.sorted { $0.localizedStandardCompare($1) == .orderedAscending }.map { path in
      WordsRecord.Prompt(
        name: name(of: path, saved.manifest),
        vectors: try distances(saved.parameters.require(path).to(device: .cpu)).map { row in
          row.indices.sorted { (row[$0], $0) < (row[$1], $1) }.prefix(count).compactMap { index in
            bench.tokenizer.token(for: Int32(index)).map {
              .init(word: $0.replacing("</w>", with: ""), distance: row[index])
            }
          }
        })
    }
    // Every so many words, and how far their nearest others are.
    let step = max(1, size / 200)
    let probes = Array(stride(from: 0, to: size, by: step)).filter { !left.contains($0) }
    let apart = try distances(table.gathered(0, .indices(probes))).enumerated().map { row, values in
      values.enumerated().reduce(Double.infinity) { $1.offset == probes[row] ? $0 : min($0, $1.element) }
    }.filter(\.isFinite).sorted()
    return WordsRecord(seed: seed, prompts: prompts, typicalDistance: apart.isEmpty ? 0 : apart[apart.count / 2])
  }

  /// What a prompt is called: a task, the tasks below a node, or all.
  private func name(of path: String, _ manifest: SavedPrompts.Manifest) -> String {
    let parts = path.split(separator: ".")
    guard parts.count == 3, let index = Int(parts[1]) else { return "all tasks" }
    if parts[0] == "tasks", manifest.tasks.indices.contains(index) { return manifest.tasks[index].name }
    guard parts[0] == "nodes", let tree = manifest.tree, tree.nodes.indices.contains(index) else { return path }
    let node = tree.nodes[index]
    if node.parent == nil, tree.nodes.count > 1 { return "root: all tasks" }
    return node.children.isEmpty && node.tasks.count == 1
      ? tree.names[node.tasks[0]] : "node \(index): " + node.tasks.map { tree.names[$0] }.joined(separator: ", ")
  }
}
