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

  private struct Wanted: Sendable {
    var name: String
    var isBinary: Bool
    var classes: Int?
  }

  /// Pictures to probabilities, `POST /v2/models/{task}/infer`.
  func infer(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let runs = library.current
    let place = try task(context, runs)
    if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw ServiceError(.unsupportedMediaType, "expected a body without content encoding, found \(encoding)")
    }
    let body = try await request.read(answering.settings)
    let headerLength = request.headers[.inferenceHeaderLength]
    let (size, limit) = (runs.classifier(place).planeSize, answering.settings.pictureLimit)
    // Beside the threads that answer: a long list takes a while.
    let (id, wanted, sources) = try await answering.queue.decode {
      let split = try Self.split(body, headerLength: headerLength)
      let json = try Self.parsed(split.json)
      var binary = split.binary
      guard let list = json["inputs"]?.arrayValue, list.count == 1 else {
        throw ServiceError(.badRequest, "expected a list of inputs with one input, image or pixels")
      }
      let inputs = try list.map { try InferenceTensor($0, binary: &binary) }
      guard binary.isEmpty else {
        throw ServiceError(.badRequest, "\(binary.count) bytes behind the JSON belong to no input")
      }
      return (json["id"]?.stringValue, try Self.wanted(json), try Self.sources(inputs, size, limit: limit))
    }
    let results = try await answering.answers(
      sources, runs: runs, places: [place], isNamed: true, client: context.client)
    let rows = try results.map { try $0.get()[0] }
    let task = runs.tasks[place]
    let outputs = try wanted.map { try output($0, rows, task.classNames) }
    var behind: Data? = wanted.contains(where: \.isBinary) ? Data() : nil
    var absent: Data?
    let described = zip(wanted, outputs).map { wanted, tensor in
      wanted.isBinary ? tensor.json(binary: &behind) : tensor.json(binary: &absent)
    }
    var answer: [String: JSONValue] = [
      "model_name": .string(task.name), "model_version": .string("\(runs.runs[task.run].seed)"),
      "outputs": .array(described),
    ]
    if let id { answer["id"] = .string(id) }
    guard let behind else { return .json(JSONValue.object(answer)) }
    let head = try JSONEncoder().encode(JSONValue.object(answer))
    return .bytes(
      head + behind, type: "application/octet-stream", headers: [.inferenceHeaderLength: "\(head.count)"])
  }

  /// The JSON and what stands behind it.
  private static func split(_ body: Data, headerLength: String?) throws -> (json: Data, binary: Data) {
    guard let headerLength else { return (body, Data()) }
    guard let length = Int(headerLength), length >= 0, length <= body.count else {
      throw ServiceError(
        .badRequest, "Inference-Header-Content-Length: expected 0 to \(body.count), found \(headerLength)")
    }
    return (Data(body.prefix(length)), Data(body.dropFirst(length)))
  }

  private static func parsed(_ data: Data) throws -> JSONValue {
    guard let json = try? JSONDecoder().decode(JSONValue.self, from: data), case .object = json else {
      throw ServiceError(.badRequest, "expected a JSON object")
    }
    return json
  }

  /// Which outputs are asked for, and how each is to be sent.
  private static func wanted(_ json: JSONValue) throws -> [Wanted] {
    let isBinary = json["parameters"]?["binary_data_output"]?.boolValue ?? false
    guard let outputs = json["outputs"] else {
      return ["probabilities", "label"].map { Wanted(name: $0, isBinary: isBinary, classes: nil) }
    }
    guard let list = outputs.arrayValue else { throw ServiceError(.badRequest, "expected a list of outputs") }
    let names = list.compactMap { $0["name"]?.stringValue }
    guard Set(names).count == list.count else {
      throw ServiceError(.badRequest, "expected each output once, with its name")
    }
    return try list.map { output in
      guard let name = output["name"]?.stringValue, ["probabilities", "label"].contains(name) else {
        throw ServiceError(
          .badRequest, "expected the outputs probabilities and label, found \(output["name"]?.stringValue ?? "none")")
      }
      let classes = output["parameters"]?["classification"]
      if let classes, (classes.intValue ?? -1) < 0 || name != "probabilities" {
        throw ServiceError(.badRequest, "classification: expected a number of classes, of probabilities")
      }
      return Wanted(
        name: name, isBinary: output["parameters"]?["binary_data"]?.boolValue ?? isBinary,
        classes: classes?.intValue.flatMap { $0 > 0 ? $0 : nil })
    }
  }

  /// Pictures from the one input that there must be.
  private static func sources(
    _ inputs: [InferenceTensor], _ size: (height: Int, width: Int), limit: Int
  ) throws -> [Answering.Source] {
    guard inputs.count == 1, let input = inputs.first else {
      throw ServiceError(.badRequest, "expected one input, image or pixels, found \(inputs.count)")
    }
    guard input.shape[0] <= limit else {
      throw ServiceError(.badRequest, "expected at most \(limit) pictures, found \(input.shape[0])")
    }
    switch (input.name, input.elements) {
    case ("image", .bytes(let files)):
      guard input.shape.count == 1 || input.shape == [files.count, 1] else {
        throw ServiceError(.badRequest, "input image: expected the shape [pictures], found \(input.shape)")
      }
      return files.enumerated().map { .file(name: "picture \($0)", data: $1) }
    case ("pixels", .floats(let values)):
      guard input.shape.count == 4, Array(input.shape[1...]) == [3, size.height, size.width] else {
        throw ServiceError(
          .badRequest, "input pixels: expected [pictures, 3, \(size.height), \(size.width)], found \(input.shape)")
      }
      let length = values.count / input.shape[0]
      return (0..<input.shape[0]).map { .planes(Array(values[$0 * length..<($0 + 1) * length])) }
    default:
      throw ServiceError(
        .badRequest,
        "expected the input image (BYTES) or pixels (FP32), found \(input.name) (\(input.dataType.rawValue))")
    }
  }

  private func output(_ wanted: Wanted, _ rows: [[Double]], _ names: [String]) throws -> InferenceTensor {
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
