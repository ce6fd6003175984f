import BanyanFoundation
import BanyanReports
import BanyanTraining
import Foundation
import HTTPTypes
import Hummingbird

/// The Open Inference Protocol, version 2, over REST: every task is a model, its version is the seed.
///
/// A model takes `image` (BYTES [n], picture files) or `pixels` (FP32 [n, 3, height, width], preprocessed) and gives
/// `probabilities` (FP32 [n, classes]), `label` (BYTES [n]) and, asked with `classification: k`, the k most probable classes as
/// `probability:index:name`.
struct InferenceRoutes: Sendable {
  let library: RunLibrary
  let answering: Answering
  let version: String

  static let extensions: [JSONValue] = [.string("binary_tensor_data"), .string("classification")]

  /// What the server is, `GET /v2`.
  func server(_ request: Request, _ context: ServiceContext) -> Response {
    .json(
      JSONValue.object([
        "name": .string("banyan"), "version": .string(version), "extensions": .array(Self.extensions),
      ]))
  }

  /// `GET /v2/health/live`: the program works.
  func live(_ request: Request, _ context: ServiceContext) -> Response { .empty(.ok) }

  /// `GET /v2/health/ready`: the towers are warm.
  func ready(_ request: Request, _ context: ServiceContext) async -> Response {
    .empty(await answering.queue.isReady ? .ok : .serviceUnavailable)
  }

  /// `GET /v2/models`: what there is; the protocol leaves the list to the server.
  func models(_ request: Request, _ context: ServiceContext) -> Response {
    .json(JSONValue.object(["models": .array(library.current.taskNames.map { .string($0) })]))
  }

  /// A task's inputs and outputs, `GET /v2/models/{task}`.
  func model(_ request: Request, _ context: ServiceContext) throws -> Response {
    let runs = library.current
    let place = try task(context, runs)
    let size = runs.classifier(place).planeSize
    let task = runs.tasks[place]
    func tensor(_ name: String, _ type: InferenceTensor.DataType, _ shape: [Int]) -> JSONValue {
      .object([
        "name": .string(name), "datatype": .string(type.rawValue),
        "shape": .array(shape.map { .integer(Int64($0)) }),
      ])
    }
    return .json(
      JSONValue.object([
        "name": .string(task.name), "platform": .string("banyan"),
        "versions": .array([.string("\(runs.runs[task.run].seed)")]),
        "inputs": .array([tensor("image", .bytes, [-1]), tensor("pixels", .fp32, [-1, 3, size.height, size.width])]),
        "outputs": .array([
          tensor("probabilities", .fp32, [-1, task.classNames.count]), tensor("label", .bytes, [-1]),
        ]),
        "parameters": .object(["classes": .array(task.classNames.map { .string($0) })]),
      ]))
  }

  /// Whether a task answers, `GET /v2/models/{task}/ready`.
  func modelReady(_ request: Request, _ context: ServiceContext) async throws -> Response {
    _ = try task(context, library.current)
    return .empty(await answering.queue.isReady ? .ok : .serviceUnavailable)
  }

  /// The task that the path names; where it names a version too, that one must be served.
  private func task(_ context: ServiceContext, _ runs: ServedRuns) throws -> Int {
    guard let name = context.parameters.get("task")?.removingPercentEncoding else {
      throw ServiceError(.badRequest, "expected a task's name in percent-encoded UTF-8")
    }
    let place = try runs.place(of: name)
    let seed = "\(runs.runs[runs.tasks[place].run].seed)"
    if let version = context.parameters.get("version"), version != seed {
      throw ServiceError(.notFound, "there is no version \(version) of \(name). Choose one of: \(seed).")
    }
    return place
  }

  /// Pictures to probabilities, `POST /v2/models/{task}/infer`.
  func infer(_ request: Request, _ context: ServiceContext) async throws -> Response {
    _ = try task(context, library.current)
    if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw ServiceError(.unsupportedMediaType, "expected a body without content encoding, found \(encoding)")
    }
    let (headerLength, limit) = (request.headers[.inferenceHeaderLength], answering.settings.pictureLimit)
    // Runs as they are when the body has come.
    let (runs, place, asked, sources) = try await request.read(for: answering, context) { body in
      let current = library.current
      let wanted = try self.task(context, current)
      let size = current.classifier(wanted).planeSize
      return try await answering.queue.read {
        let asked = try InferenceRequest(body, headerLength: headerLength)
        return (current, wanted, asked, try asked.sources(size, limit: limit))
      }
    }
    let results = try await answering.answers(
      sources, runs: runs, places: [place], client: context.client)
    let rows = try results.map { try $0.get()[0] }
    let task = runs.tasks[place]
    let outputs = try asked.outputs.map { try output($0, rows, task.classNames) }
    var behind: Data? = asked.outputs.contains(where: \.isBinary) ? Data() : nil
    var absent: Data?
    let described = zip(asked.outputs, outputs).map { wanted, tensor in
      wanted.isBinary ? tensor.json(binary: &behind) : tensor.json(binary: &absent)
    }
    var answer: [String: JSONValue] = [
      "model_name": .string(task.name), "model_version": .string("\(runs.runs[task.run].seed)"),
      "outputs": .array(described),
    ]
    if let id = asked.id { answer["id"] = .string(id) }
    guard let behind else { return .json(JSONValue.object(answer)) }
    let head = try JSONEncoder().encode(JSONValue.object(answer))
    return .bytes(
      head + behind, type: "application/octet-stream", headers: [.inferenceHeaderLength: "\(head.count)"])
  }

  private func output(_ wanted: InferenceRequest.Output, _ rows: [[Double]], _ names: [String]) throws
    -> InferenceTensor
  {
    if wanted.name == "label" {
      return InferenceTensor(
        name: "label", shape: [rows.count],
        elements: .bytes(rows.map { Data(names[ClassifyRoute.sorted($0)[0]].utf8) }))
    }
    guard let classes = wanted.classes else {
      return InferenceTensor(
        name: "probabilities", shape: [rows.count, names.count], elements: .floats(rows.joined().map { Float($0) }))
    }
    let count = min(classes, names.count)
    return InferenceTensor(
      name: "probabilities", shape: [rows.count, count],
      elements: .bytes(
        rows.flatMap { row in
          ClassifyRoute.sorted(row).prefix(count).map { Data("\(Float(row[$0])):\($0):\(names[$0])".utf8) }
        }))
  }
}
