import BanyanCLIP
public import BanyanReports
public import BanyanStructure
import BanyanTasks
import Foundation

extension RecordedSplit {
  /// The drawn samples as a record keeps them.
  init(_ split: TaskSplit) {
    func recorded(_ samples: [Sample]) -> [RecordedSample] {
      samples.map { RecordedSample(path: $0.path, label: $0.label, sha256: $0.sha256) }
    }
    self.init(
      task: split.task, train: recorded(split.train), validation: recorded(split.validation),
      test: recorded(split.test))
  }
}

extension TaskSplit {
  /// The drawn samples that a record keeps.
  init(recorded: RecordedSplit) {
    func samples(_ list: [RecordedSample], _ split: Split) -> [Sample] {
      list.map { Sample(path: $0.path, label: $0.label, split: split, sha256: $0.sha256) }
    }
    self.init(
      task: recorded.task, train: samples(recorded.train, .train),
      validation: samples(recorded.validation, .validation),
      test: samples(recorded.test, .test))
  }
}

extension RecordedTree {
  /// A tree as a record keeps it.
  public init(_ tree: TaskTree) {
    self.init(
      newick: tree.newick,
      nodes: tree.nodes.map { node in
        Node(
          index: node.index, name: node.name, children: node.children, parent: node.parent,
          mergeAffinity: node.mergeAffinity,
          shared: node.isShared && node.children.isEmpty ? node.tasks.map { tree.names[$0] } : nil)
      })
  }
}

extension Experiment {
  /// How the tasks are read, with a test of every picture where unreadable ones may be left out.
  var loadingOptions: TaskLoadingOptions {
    var options = TaskLoadingOptions(
      format: data.format, only: data.only, also: data.also, imageRoot: data.imageRoot,
      skipUnreadable: data.skipUnreadable, dropDuplicates: data.dropDuplicates, listPercentage: data.listPercentage)
    if data.skipUnreadable { options.verifyImages = { _ = try ImageDecoder.decode(contentsOf: $0) } }
    return options
  }
}
