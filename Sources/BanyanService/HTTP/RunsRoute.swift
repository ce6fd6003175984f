import BanyanFoundation
import BanyanReports
import BanyanStructure
import BanyanTraining
import Foundation
import Hummingbird

/// `GET /runs`: what is served, the trees, and which tasks share which prompts.
struct RunsRoute: Sendable {
  let library: RunLibrary

  private struct Answer: Encodable {
    var runs: [Run]
  }

  private struct Run: Encodable {
    var name: String
    var title: String
    var method: String
    var seed: UInt64
    var average: Double
    var model: String
    /// How tasks share what was learned, in a sentence.
    var sharing: String
    var nodes: [Node]
    var tasks: [Task]
  }

  private struct Node: Encodable {
    var children: [Int]
    var tasks: [String]
    var affinity: Double?
  }

  private struct Task: Encodable {
    var name: String
    var classes: [String]
    var prompts: [Prompt]
    var top1: Double?
  }

  /// A learned prompt, and the tasks that it serves.
  private struct Prompt: Encodable {
    var node: Int
    var tasks: [String]
  }

  func callAsFunction(_ request: Request, _ context: ServiceContext) -> Response {
    let served = library.current
    return .json(Answer(runs: served.runs.indices.map { describe($0, of: served) }))
  }

  private func describe(_ number: Int, of all: ServedRuns) -> Run {
    let run = all.runs[number]
    let own = all.tasks.filter { $0.run == number }
    let manifest = run.classifier.manifest
    let nodes = run.record.runs.first { $0.seed == run.seed }?.tree?.nodes ?? []
    func served(_ name: String) -> String { own.first { manifest.tasks[$0.index].name == name }?.name ?? name }
    // As read from a file they number the tasks in an order of their own.
    let groups = try? manifest.groups?.reordered(to: manifest.tasks.map(\.name))
    let paths = nodes.isEmpty ? nil : manifest.tasks.map { Self.path(to: $0.name, in: nodes) }
    let results = run.record.runs.first { $0.seed == run.seed }?.tasks ?? [:]
    return Run(
      name: run.name, title: run.record.methodTitle, method: run.record.method, seed: run.seed,
      average: run.record.average.top1, model: run.record.model.description,
      sharing: paths != nil
        ? "A task answers with the prompts from the root of the tree down to its leaf."
        : manifest.groups != nil ? "Tasks of a group learned together." : "The method has no tree of tasks.",
      nodes: nodes.map { node in
        Node(
          children: node.children, tasks: (node.shared ?? [node.name].compactMap(\.self)).map(served),
          affinity: node.mergeAffinity)
      },
      tasks: own.map { task in
        Task(
          name: task.name, classes: task.classNames,
          prompts: prompts(task, own: own, paths: paths, groups: groups),
          top1: results[manifest.tasks[task.index].name]?.top1)
      })
  }

  private func prompts(
    _ task: ServedRuns.Task, own: [ServedRuns.Task], paths: [[Int]]?, groups: TaskGroups?
  ) -> [Prompt] {
    if let paths {
      return paths[task.index].map { node in
        Prompt(node: node, tasks: own.filter { paths[$0.index].contains(node) }.map(\.name))
      }
    }
    guard let groups else { return [] }
    let group = groups.group(of: task.index)
    return [Prompt(node: group, tasks: own.filter { groups.group(of: $0.index) == group }.map(\.name))]
  }

  /// The nodes from the root to the leaf of a task.
  private static func path(to task: String, in nodes: [RecordedTree.Node]) -> [Int] {
    let leaf = nodes.firstIndex { $0.children.isEmpty && ($0.shared ?? [$0.name].compactMap(\.self)).contains(task) }
    guard var index = leaf else { return [] }
    var path = [index]
    // A record that somebody has written by hand may have a circle.
    while let parent = nodes.firstIndex(where: { $0.children.contains(index) }), !path.contains(parent) {
      path.insert(parent, at: 0)
      index = parent
    }
    return path
  }
}
