import BanyanFoundation
import BanyanTensor

/// Prompts of the towers as a function of a few parameters, of which one copy serves one task or several.
///
/// Unlike ``TowerPrompts``, the tokens themselves, it says how they come about and where their parameters start.
protocol PromptUnit: Sendable {
  /// How many prompts stand in front of a class name; zero where class weights come from sentences written by hand.
  var textLength: Int { get }

  /// Whether pictures get prompts.
  var promptsImages: Bool { get }

  /// The starting parameters of one copy, by paths relative to it.
  ///
  /// - Parameters:
  ///   - tasks: The tasks that the copy serves.
  ///   - generator: The copy's own stream of random numbers.
  func start(for tasks: [PromptTask], _ generator: inout SeededGenerator) throws -> ParameterTree

  /// The tokens of a copy, from its parameters by relative path.
  func prompts(_ parameter: (String) throws -> Tensor) throws -> TowerPrompts
}

extension PromptUnit {
  /// Refuses an option outside of what makes sense.
  static func check(_ value: Int, _ key: String, in range: ClosedRange<Int>) throws {
    guard !range.contains(value) else { return }
    throw BanyanError(
      .usage, at: key, "expected \(range.lowerBound) to \(range.upperBound), found \(value)")
  }

  /// Refuses an option that is no positive number.
  static func check(positive value: Double, _ key: String) throws {
    guard value > 0, value.isFinite else {
      throw BanyanError(.usage, at: key, "expected a positive number, found \(value)")
    }
  }
}
