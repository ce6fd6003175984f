/// The seconds since it was made, by a clock that nobody sets.
///
/// Unlike differences of two dates it does not jump where the system's clock is set, so that what waits for it neither waits for
/// a day nor happens at once.
public struct ElapsedTime: Sendable {
  private let start = ContinuousClock.now

  /// Begins now.
  public init() {}

  /// Seconds since the beginning.
  public var seconds: Double { start.duration(to: .now) / .seconds(1) }
}
