import BanyanFoundation
import BanyanTensor

/// Which contexts meet which lists of class names, and where each result is found.
///
/// Every distinct list of class names is one request under all contexts that its tasks need, so that tasks with the same
/// names share their encodings and a prompt is encoded once however many tasks it serves.
struct PromptPlan {
  /// What is to be encoded.
  let requests: [EncodingRequest]
  private let contexts: [Int: [String]]
  private let request: [Int: Int]

  /// - Parameters:
  ///   - tasks: The tasks of a step, without repetition.
  ///   - contexts: The paths of the contexts that serve a task, in the order in which its objective wants them.
  init(_ tasks: [Int], vocabulary: ClassVocabulary, contexts: (Int) -> [String]) {
    var requests: [EncodingRequest] = []
    var place: [Int: Int] = [:]
    var request: [Int: Int] = [:]
    var needed: [Int: [String]] = [:]
    for task in tasks {
      let set = vocabulary.classSet[task]
      let index = place[set] ?? requests.count
      if index == requests.count { requests.append(EncodingRequest(contexts: [], classSet: set)) }
      place[set] = index
      request[task] = index
      needed[task] = contexts(task)
      for path in contexts(task) where !requests[index].contexts.contains(path) {
        requests[index].contexts.append(path)
      }
    }
    self.requests = requests
    self.contexts = needed
    self.request = request
  }

  /// The classifiers of a task's contexts, each [classes, projection].
  ///
  /// - Parameter encoded: One [contexts, classes, projection] per request.
  func weights(of task: Int, _ encoded: [Tensor]) throws -> [Tensor] {
    guard let index = request[task], let paths = contexts[task] else {
      throw BanyanError(.failed, at: "task \(task)", "is not part of the step")
    }
    return try paths.map { path in
      guard let row = requests[index].contexts.firstIndex(of: path) else {
        throw BanyanError(.failed, at: path, "was not encoded for task \(task)")
      }
      return try encoded[index].select(0, row)
    }
  }
}
