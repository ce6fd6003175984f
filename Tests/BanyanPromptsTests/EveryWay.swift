import BanyanTestSupport
import Testing

/// Runs every test of a suite once in each of ``EncodingWays/all``.
struct EveryWay: SuiteTrait, TestTrait, TestScoping {
  let isRecursive = true

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    for ways in EncodingWays.all { try await EncodingWays.$current.withValue(ways) { try await function() } }
  }
}

extension Trait where Self == EveryWay {
  /// Numbers must not depend on the way through the towers.
  static var everyWay: Self { Self() }
}
