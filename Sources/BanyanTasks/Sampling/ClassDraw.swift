import BanyanFoundation

/// The images of one class in the order of a draw.
///
/// Files of one content are one unit. Each unit gets a rank from (seed, task, class, content) alone and units are
/// sorted by it, so the order of files, other classes and other tasks cannot touch it, and a file more or less moves no
/// other.
struct ClassDraw {
  /// The units, best rank first; the copies of a unit are in the order of their paths.
  let units: [[Sample]]

  init(_ samples: [Sample], seed: UInt64, task: String, className: String) {
    let salt = "sampling\u{0}\(task)\u{0}\(className)\u{0}"
    units = Dictionary(grouping: samples, by: \.sha256)
      .map { hash, copies -> (rank: UInt64, hash: String, copies: [Sample]) in
        var generator = SeededGenerator(seed: seed, label: salt + hash)
        return (generator.next(), hash, copies.sorted { $0.path < $1.path })
      }
      .sorted { ($0.rank, $0.hash) < ($1.rank, $1.hash) }
      .map(\.copies)
  }

  /// One file of each of the first `count` units.
  func first(_ count: Int) -> [Sample] { units.prefix(count).compactMap(\.first) }

  /// One file of each of the last `count` units, from the end.
  func last(_ count: Int) -> [Sample] { units.suffix(count).reversed().compactMap(\.first) }

  /// The contents of neither the first `train` nor the last `validation` units.
  func rest(train: Int, validation: Int) -> some Sequence<String> {
    units.dropFirst(train).dropLast(validation).lazy.compactMap { $0.first?.sha256 }
  }
}

/// How many images of a class a plan asks for, and whether the class has them.
struct ClassDemand {
  let task: String
  let className: String
  /// How many different images there are to draw from.
  let available: Int
  let train: Int
  let validation: Int
  /// 1 where the test images are the rest, 0 where they are given.
  let test: Int

  init(_ plan: SamplingPlan, task: String, className: String, available: Int, drawsValidation: Bool, drawsTest: Bool) {
    self.task = task
    self.className = className
    self.available = available
    test = drawsTest ? 1 : 0
    let tenth = { (count: Int) in max(1, Int((Double(count) / 10).rounded())) }
    let ownValidation: Int
    switch plan.amount {
    case .shots(let shots):
      train = shots
      ownValidation = min(shots, 4)
    case .percentage(let share):
      train = max(1, Int((share * Double(available) / 100).rounded()))
      ownValidation = tenth(train)
    case .all:
      let wanted = drawsValidation ? plan.validationShots ?? tenth(available) : 0
      train = max(1, available - wanted)
      ownValidation = tenth(available)
    }
    validation = drawsValidation ? plan.validationShots ?? ownValidation : 0
  }

  var isMet: Bool { train + validation + test <= available }

  /// The error of a class with too few images; `others` classes have too few as well.
  func shortage(_ plan: SamplingPlan, others: Int) -> BanyanError {
    var parts = ["\(train) for training"]
    if validation > 0 { parts.append("\(validation) for validation") }
    if test > 0 { parts.append("\(test) for testing") }
    var message = "expected at least \(train + validation + test) different images (\(parts.joined(separator: ", "))), "
    message += "found \(available)\(test == 0 ? " in the train split" : "")"
    if others > 0 { message += "; \(others) other class\(others == 1 ? " has" : "es have") too few as well" }
    return BanyanError(.usage, at: "task \(task), class \(className)", message, remedy: remedy(plan))
  }

  private func remedy(_ plan: SamplingPlan) -> String {
    let room = available - test
    guard case .shots = plan.amount else {
      return "Use a smaller share, fewer validation images, or add images."
    }
    let most: Int
    if validation == 0 {
      most = room
    } else if let own = plan.validationShots {
      most = room - own
    } else {
      most = room >= 8 ? room - 4 : room / 2
    }
    if most >= 1 { return "Use at most \(most) shot\(most == 1 ? "" : "s"), or add images." }
    if room >= 2 {
      return "Use at most \(room - 1) shot\(room == 2 ? "" : "s") with 1 validation image, or add images."
    }
    return "Add images, or take the class out."
  }
}
