import BanyanCLIP
import BanyanFoundation
import BanyanTasks
import Foundation

/// How a run of a sweep's file becomes an experiment: base, then the run's `file`, its own keys, the amount of samples
/// and the overlays of the command line; later ones win.
struct SweepLayout {
  let sweep: Sweep
  let file: URL
  /// What errors call the file.
  let subject: String
  let overlays: [(subject: String, overlay: JSONValue)]

  /// A run as the file has it.
  struct Entry {
    var name: String
    var subject: String
    var members: [String: JSONValue]
  }

  /// The runs with their names, all of which are different and may be names of folders.
  func named(only: [String]) throws -> (all: [String], kept: [Entry]) {
    var entries: [Entry] = []
    for (index, run) in sweep.runs.enumerated() {
      let place = "\(subject): runs[\(index)]"
      guard let members = run.objectValue else {
        throw BanyanError(.usage, at: place, "expected an object, found \(run.kindName)")
      }
      let given = members["name"] ?? members["method"] ?? sweep.base["method"]
      guard let name = given?.stringValue, Self.isFolderName(name) else {
        throw BanyanError(
          .usage, at: place,
          "expected a name of letters, digits, dots and hyphens, found \(given?.stringValue ?? "none")",
          remedy: "Name the run, such as \"name\": \"coop-16\".")
      }
      if entries.contains(where: { $0.name.lowercased() == name.lowercased() }) {
        throw BanyanError(
          .usage, at: place, "two runs are called \(name)", remedy: "Give one of them another \"name\".")
      }
      entries.append(Entry(name: name, subject: place, members: members))
    }
    let names = entries.map(\.name)
    if let unknown = only.first(where: { !names.contains($0) }) {
      throw BanyanError(
        .usage, at: "--only \(unknown)", "the sweep has no such run",
        remedy: NearNames.remedy(for: unknown, among: names))
    }
    return (names, only.isEmpty ? entries : entries.filter { only.contains($0.name) })
  }

  /// Checks that the paper's numbers belong to runs and amounts that there are.
  func checkExpected(names: [String]) throws {
    guard let numbers = sweep.expected.objectValue else { return }
    let amounts = sweep.samples.map(\.description)
    for (name, value) in numbers.sorted(by: { $0.key < $1.key }) {
      let place = "\(subject): expected.\(name)"
      guard names.contains(name) else {
        throw BanyanError(
          .usage, at: place, "the sweep has no such run", remedy: NearNames.remedy(for: name, among: names))
      }
      for (key, number) in value.objectValue ?? ["": value] {
        guard number.stringValue != nil || number.doubleValue != nil else {
          throw BanyanError(.usage, at: place, "expected a number or a text, found \(number.kindName)")
        }
        guard key.isEmpty || amounts.isEmpty || SamplingAmount(key).map({ sweep.samples.contains($0) }) == true else {
          throw BanyanError(
            .usage, at: "\(place).\(key)", "the sweep has no such amount of samples",
            remedy: "Choose one of: \(amounts.joined(separator: ", ")).")
        }
      }
    }
  }

  /// The experiment of a run, with absolute paths.
  func experiment(_ entry: Entry, over base: Experiment, samples: SamplingAmount?) throws -> Experiment {
    var experiment = base
    var own = entry.members
    own["name"] = nil
    if let settings = own.removeValue(forKey: "file") {
      guard let name = settings.stringValue else {
        throw BanyanError(.usage, at: "\(entry.subject): file", "expected a path, found \(settings.kindName)")
      }
      let url = file.deletingLastPathComponent().appendingPathComponent(name)
      experiment = try Experiment(
        JSONDocument.read(JSONValue.self, from: url), over: experiment, subject: url.relativePath)
    }
    if samples != nil, own["samples"] != nil {
      throw BanyanError(
        .usage, at: "\(entry.subject): samples", "the sweep has an axis of samples already",
        remedy: "Leave one of the two out.")
    }
    experiment = try Experiment(.object(own), over: experiment, subject: entry.subject)
    if let samples { experiment.samples = samples }
    for (subject, overlay) in overlays {
      experiment = try Experiment(overlay, over: experiment, subject: subject)
    }
    // A record must find its data again from any folder.
    for path in [\Experiment.model, \Experiment.tasks]
    where !experiment[keyPath: path].isEmpty && experiment[keyPath: path] != EmbeddedCheckpoint.name {
      experiment[keyPath: path] = URL(fileURLWithPath: experiment[keyPath: path]).standardizedFileURL.path
    }
    experiment.data.imageRoot = experiment.data.imageRoot.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    return experiment
  }

  private static func isFolderName(_ name: String) -> Bool {
    let isPlain = name.utf8.allSatisfy { byte in
      let character = Character(Unicode.Scalar(byte))
      return character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
    }
    return isPlain && name.first.map { $0.isLetter || $0.isNumber } == true && name.utf8.count <= 100
  }
}
