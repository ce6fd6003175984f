import BanyanFoundation
import BanyanTraining
import Foundation
import HTTPTypes
import Hummingbird

/// `POST /classify`: pictures as files, answers as names.
struct ClassifyRoute: Sendable {
  let library: RunLibrary
  let answering: Answering

  private struct Answer: Encodable {
    struct Class: Encodable {
      var name: String
      var probability: Double
    }

    struct Task: Encodable {
      var task: String
      var classes: [Class]
    }

    struct Picture: Encodable {
      var name: String
      var answers: [Task]?
      var error: String?
    }

    var pictures: [Picture]
  }

  func callAsFunction(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let settings = answering.settings
    // A form of many parts takes a while to take apart; a bare picture does not.
    let isForm = HeaderParameters(request.headers[.contentType] ?? "").value == "multipart/form-data"
    let sent = try await request.read(for: answering, context) { body in
      isForm
        ? try await answering.queue.read { try SentPictures(request, body, settings: settings) }
        : try SentPictures(request, body, settings: settings)
    }
    let runs = library.current
    let places = try sent.tasks.isEmpty ? Array(runs.tasks.indices) : sent.tasks.map(runs.place)
    let results = try await answering.answers(
      sent.pictures.map { .file(name: $0.name, data: $0.data) }, runs: runs, places: places,
      client: context.client)
    // One picture that cannot be read is no answer at all; among others it is one of the answers.
    if results.count == 1, case .failure(let error) = results[0] { throw error }
    let answer = Answer(
      pictures: zip(sent.pictures, results).map { picture, result in
        switch result {
        case .failure(let error): Answer.Picture(name: picture.name, error: error.message)
        case .success(let rows):
          Answer.Picture(
            name: picture.name,
            answers: zip(places, rows).map { place, row in
              Answer.Task(
                task: runs.tasks[place].name,
                classes: Self.sorted(row).prefix(sent.top ?? row.count).map {
                  Answer.Class(name: runs.tasks[place].classNames[$0], probability: row[$0])
                })
            })
        }
      })
    return .json(answer)
  }

  /// Places of a row, the most probable first, the first of equals first.
  static func sorted(_ row: [Double]) -> [Int] { row.indices.sorted { (row[$1], $0) < (row[$0], $1) } }
}
