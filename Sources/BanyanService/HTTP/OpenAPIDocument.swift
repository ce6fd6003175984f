import BanyanFoundation

/// The description of the service at `/openapi.json`, for programs that make clients.
///
/// OpenAPI 3.1.
struct OpenAPIDocument {
  /// What is served now.
  let runs: ServedRuns
  let version: String
  let hasToken: Bool
  let settings: ServiceSettings

  /// The document.
  var json: JSONValue {
    var document: [String: JSONValue] = [
      "openapi": "3.1.0",
      "info": [
        "title": "Banyan", "version": .string(version),
        "description": "Pictures in, the answers of many tasks out: classifiers of one CLIP, learned together.",
        "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
      ],
      "paths": [
        "/": ["get": page],
        "/classify": ["post": classify],
        "/runs": ["get": get("runs", "What is served, the trees, and who shares which prompts", reference("Runs"))],
        "/metrics": ["get": get("metrics", "Metrics for Prometheus", text("text/plain", "Text exposition 0.0.4."))],
        "/openapi.json": ["get": get("openapi", "This document", object("An OpenAPI document."))],
        "/v2": ["get": get("serverMetadata", "Open Inference Protocol: the server", reference("Server"))],
        "/v2/health/live": ["get": health("live", "Whether the program works")],
        "/v2/health/ready": ["get": health("ready", "Whether the towers are warm")],
        "/v2/models": ["get": get("models", "The tasks", reference("Models"))],
        "/v2/models/{task}": ["get": model("modelMetadata", "A task's inputs and outputs", reference("Model"))],
        "/v2/models/{task}/ready": ["get": model("modelReady", "Whether a task answers", nil)],
        "/v2/models/{task}/infer": ["post": infer()],
        "/v2/models/{task}/versions/{version}": [
          "get": model("versionMetadata", "A task's inputs and outputs", reference("Model"), hasVersion: true)
        ],
        "/v2/models/{task}/versions/{version}/ready": [
          "get": model("versionReady", "Whether a task answers", nil, hasVersion: true)
        ],
        "/v2/models/{task}/versions/{version}/infer": ["post": infer(hasVersion: true)],
      ],
      "components": [
        "schemas": schemas,
        "parameters": [
          "task": [
            "name": "task", "in": "path", "required": true, "schema": tasks,
            "description": "A task's name as /v2/models lists it, percent-encoded.",
          ],
          "version": [
            "name": "version", "in": "path", "required": true, "schema": seeds,
            "description": "The seed of the run.",
          ],
        ],
        "responses": ["Error": response("Why it was not served.", "application/json", reference("Error"))],
        "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
      ],
    ]
    if hasToken { document["security"] = [["token": []]] }
    return .object(document)
  }

  /// The names of all tasks.
  private var tasks: JSONValue { ["enum": .array(runs.taskNames.map { .string($0) })] }

  /// The seeds of all runs.
  private var seeds: JSONValue { ["enum": .array(Set(runs.runs.map(\.seed)).sorted().map { .string("\($0)") })] }

  private func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

  private func object(_ description: String) -> JSONValue {
    ["type": "object", "description": .string(description)]
  }

  private func text(_ type: String, _ description: String) -> (type: String, description: String) {
    (type, description)
  }

  private func response(_ description: String, _ type: String, _ schema: JSONValue) -> JSONValue {
    ["description": .string(description), "content": [type: ["schema": schema]]]
  }

  private func errors(_ codes: [Int]) -> [String: JSONValue] {
    Dictionary(
      uniqueKeysWithValues: codes.map { ("\($0)", ["$ref": "#/components/responses/Error"]) })
  }

  private func operation(
    _ id: String, _ summary: String, ok: JSONValue, errors codes: [Int], more: [String: JSONValue] = [:]
  ) -> JSONValue {
    var responses = errors(codes + [401, 403, 421, 429, 500])
    responses["200"] = ok
    var members: [String: JSONValue] = [
      "operationId": .string(id), "summary": .string(summary), "responses": .object(responses),
    ]
    members.merge(more) { $1 }
    return .object(members)
  }

  private func get(_ id: String, _ summary: String, _ schema: JSONValue) -> JSONValue {
    operation(id, summary, ok: response(summary + ".", "application/json", schema), errors: [])
  }

  private func get(
    _ id: String, _ summary: String, _ text: (type: String, description: String)
  ) -> JSONValue {
    operation(id, summary, ok: response(text.description, text.type, ["type": "string"]), errors: [])
  }

  /// Everybody's, as it asks for the token itself.
  private var page: JSONValue {
    operation(
      "page", "The page", ok: response("The page.", "text/html", ["type": "string"]), errors: [],
      more: ["security": []])
  }

  private func health(_ id: String, _ summary: String) -> JSONValue {
    operation(
      id, summary, ok: ["description": "Yes."], errors: [],
      more: [
        "security": [],
        "responses": [
          "200": ["description": "Yes."], "503": ["description": "Not yet."], "403": errorReference,
          "421": errorReference, "500": errorReference,
        ],
      ])
  }

  private var errorReference: JSONValue { ["$ref": "#/components/responses/Error"] }

  private func parameters(_ hasVersion: Bool, more: [JSONValue] = []) -> JSONValue {
    .array(
      (hasVersion ? ["task", "version"] : ["task"]).map { ["$ref": .string("#/components/parameters/\($0)")] } + more)
  }

  /// How many bytes of a body are JSON, where others follow.
  private var headerLength: JSONValue { ["type": "integer", "minimum": 0] }

  private func model(
    _ id: String, _ summary: String, _ schema: JSONValue?, hasVersion: Bool = false
  ) -> JSONValue {
    let ok = schema.map { response(summary + ".", "application/json", $0) } ?? ["description": "Yes."]
    return operation(
      id, summary, ok: ok, errors: schema == nil ? [400, 404, 503] : [400, 404],
      more: ["parameters": parameters(hasVersion)])
  }

  private func infer(hasVersion: Bool = false) -> JSONValue {
    operation(
      hasVersion ? "inferVersion" : "infer", "Open Inference Protocol: pictures to probabilities",
      ok: [
        "description": "Outputs as JSON, or as bytes behind it.",
        "content": [
          "application/json": ["schema": reference("InferenceResponse")],
          "application/octet-stream": ["schema": ["type": "string", "contentMediaType": "application/octet-stream"]],
        ],
        "headers": [
          "Inference-Header-Content-Length": ["description": "With bytes behind the JSON.", "schema": headerLength]
        ],
      ], errors: [400, 404, 408, 413, 415, 422, 503],
      more: [
        "parameters": parameters(
          hasVersion,
          more: [
            [
              "name": "Inference-Header-Content-Length", "in": "header", "schema": headerLength,
              "description": "The bytes of JSON at the begin of an octet-stream; all is JSON where it is absent.",
            ]
          ]),
        "requestBody": [
          "required": true,
          "content": [
            "application/json": ["schema": reference("InferenceRequest"), "example": Self.inferenceExample],
            "application/octet-stream": [
              "schema": [
                "type": "string", "contentMediaType": "application/octet-stream", "minLength": 2,
                "description": "The JSON, and behind it the bytes of inputs that have binary_data_size.",
              ]
            ],
          ],
        ],
      ])
  }

  /// One grey pixel, as a PNG file.
  private static let inferenceExample: JSONValue = [
    "id": "1",
    "inputs": [
      [
        "name": "image", "datatype": "BYTES", "shape": [1],
        "data": [
          "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
        ],
      ]
    ],
  ]

  private var classify: JSONValue {
    let file: JSONValue = ["type": "string", "contentMediaType": "application/octet-stream", "minLength": 1]
    func picture(_ type: String) -> JSONValue {
      ["schema": ["type": "string", "contentMediaType": .string(type), "minLength": 1]]
    }
    return operation(
      "classify", "Names pictures under one task, several or all",
      ok: response("An answer for every picture.", "application/json", reference("Answers")),
      errors: [400, 404, 408, 413, 415, 422, 503],
      more: [
        "parameters": [
          [
            "name": "task", "in": "query", "description": "A task; may be repeated. All where none is named.",
            "schema": ["type": "array", "items": tasks], "explode": true,
          ],
          [
            "name": "top", "in": "query", "description": "How many classes to answer with.",
            "schema": ["type": "integer", "minimum": 1, "maximum": 1_000_000],
          ],
        ],
        "requestBody": [
          "required": true,
          "content": [
            "image/jpeg": picture("image/jpeg"), "image/png": picture("image/png"),
            "image/webp": picture("image/webp"), "application/octet-stream": ["schema": file],
            "multipart/form-data": [
              "schema": [
                "type": "object", "required": ["picture"],
                "properties": [
                  "picture": [
                    "type": "array", "items": file, "minItems": 1,
                    "maxItems": .integer(Int64(settings.pictureLimit)),
                  ], "task": ["type": "array", "items": tasks],
                  "top": ["type": "integer", "minimum": 1],
                ],
              ]
            ],
          ],
        ],
      ])
  }

  private func record(_ properties: [String: JSONValue], optional: [String] = []) -> JSONValue {
    [
      "type": "object", "properties": .object(properties),
      "required": .array(properties.keys.filter { !optional.contains($0) }.sorted().map { .string($0) }),
    ]
  }

  /// Picture files; as many as the shape says, which no schema can say of the texts.
  private var imageInput: JSONValue {
    record(
      [
        "name": ["enum": ["image"]], "datatype": ["enum": ["BYTES"]],
        "shape": ["type": "array", "items": ["type": "integer", "minimum": 1], "minItems": 1, "maxItems": 2],
        "data": [
          "type": "array", "minItems": 1, "maxItems": .integer(Int64(settings.pictureLimit)),
          "items": ["type": "string", "contentEncoding": "base64", "minLength": 4],
        ], "parameters": binarySize,
      ], optional: ["data", "parameters"])
  }

  /// Planes that were preprocessed elsewhere; their size is in the model's metadata.
  private var pixelInput: JSONValue {
    record(
      [
        "name": ["enum": ["pixels"]], "datatype": ["enum": ["FP32"]],
        "shape": ["type": "array", "items": ["type": "integer", "minimum": 1], "minItems": 4, "maxItems": 4],
        "data": ["type": "array", "minItems": 1, "description": "Row by row, or nested as the shape is."],
        "parameters": binarySize,
      ], optional: ["data", "parameters"])
  }

  private var binarySize: JSONValue {
    ["type": "object", "properties": ["binary_data_size": ["type": "integer", "minimum": 0]]]
  }

  private func list(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items] }

  /// A run as `/runs` describes it.
  private var run: JSONValue {
    let text: JSONValue = ["type": "string"]
    let share: JSONValue = ["type": "number", "minimum": 0, "maximum": 1]
    let number: JSONValue = ["type": "integer", "minimum": 0]
    return record([
      "name": text, "title": text, "method": text, "seed": number, "average": share, "model": text, "sharing": text,
      "nodes": list(
        record(
          ["children": list(number), "tasks": list(text), "affinity": ["type": "number"]], optional: ["affinity"])),
      "tasks": list(
        record(
          [
            "name": text, "classes": list(text), "top1": share,
            "prompts": list(record(["node": number, "tasks": list(text)])),
          ], optional: ["top1"])),
    ])
  }

  private var schemas: JSONValue {
    let text: JSONValue = ["type": "string"]
    let share: JSONValue = ["type": "number", "minimum": 0, "maximum": 1]
    let tensor = record([
      "name": text, "datatype": ["enum": ["FP32", "BYTES"]], "shape": list(["type": "integer"]),
    ])
    return [
      "Error": record(["error": text]),
      "Server": record(["name": text, "version": text, "extensions": list(text)]),
      "Models": record(["models": list(text)]),
      "Model": record(
        [
          "name": text, "platform": text, "versions": list(text), "inputs": list(tensor), "outputs": list(tensor),
          "parameters": ["type": "object"],
        ]),
      "InferenceRequest": record(
        [
          "id": text,
          "inputs": [
            "type": "array", "minItems": 1, "maxItems": 1, "items": ["oneOf": [imageInput, pixelInput]],
          ],
          "outputs": list(
            record(
              ["name": ["enum": ["probabilities", "label"]], "parameters": ["type": "object"]],
              optional: ["parameters"])), "parameters": ["type": "object"],
        ], optional: ["id", "outputs", "parameters"]),
      "InferenceResponse": record(
        [
          "model_name": text, "model_version": text, "id": text,
          "outputs": list(
            record(
              [
                "name": text, "datatype": text, "shape": list(["type": "integer"]), "data": ["type": "array"],
                "parameters": ["type": "object"],
              ], optional: ["data", "parameters"])),
        ], optional: ["id"]),
      "Answers": record([
        "pictures": list(
          record(
            [
              "name": text, "error": text,
              "answers": list(
                record(["task": text, "classes": list(record(["name": text, "probability": share]))])),
            ], optional: ["error", "answers"]))
      ]),
      "Runs": record(["runs": list(run)]),
    ]
  }
}
