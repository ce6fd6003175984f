import Foundation

/// What everything is compiled with under `scripts/sanitize`, which says so in `BANYAN_SANITIZED`.
public enum Sanitizer {
  /// Whether there is one.
  public static let isPresent = ProcessInfo.processInfo.environment["BANYAN_SANITIZED"].map { !$0.isEmpty } ?? false

  /// How many times as long as otherwise things may take.
  public static let slowdown: Double = isPresent ? 10 : 1

  /// Why tests of several threads in one op are left out with it.
  public static let threadsReason = "libtorch's threads wait for each other where a sanitizer does not see it"

  /// Why tests of resident memory are left out with it.
  public static let memoryReason = "a sanitizer keeps freed memory and adds its own"
}

/// Waits until `condition` holds, for at most `seconds` times ``Sanitizer/slowdown``.
///
/// - Returns: Whether it holds.
@discardableResult
public func eventually(
  within seconds: Double, every interval: Double = 0.01, _ condition: () throws -> Bool
) rethrows -> Bool {
  let clock = ContinuousClock()
  let end = clock.now.advanced(by: .seconds(seconds * Sanitizer.slowdown))
  while try !condition() {
    guard clock.now < end else { return false }
    Thread.sleep(forTimeInterval: interval)
  }
  return true
}
