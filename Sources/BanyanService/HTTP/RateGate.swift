import BanyanFoundation
import Synchronization

/// So many pictures a second for each address, with a burst of two seconds' worth.
///
/// A bucket that fills at the rate and is emptied by pictures.
final class RateGate: Sendable {
  private struct Bucket {
    var level: Double
    var seen: ContinuousClock.Instant
  }

  private let rate: Double
  private let clock = ContinuousClock()
  private let buckets = Mutex<[String: Bucket]>([:])
  /// More addresses than this are not remembered; those that were idle are forgotten first.
  private static let most = 10_000

  init(rate: Double) { self.rate = rate }

  private var burst: Double { max(1, 2 * rate) }

  /// Takes pictures out of the bucket of `client`.
  ///
  /// - Throws: A ``ServiceError`` with status 429 where there are not as many in it.
  func take(_ count: Int, client: String) throws {
    let now = clock.now
    let wait: Double = buckets.withLock { buckets in
      if buckets.count >= Self.most {
        buckets = buckets.filter { $0.value.seen.duration(to: now).seconds * rate < burst }
        if buckets.count >= Self.most { buckets = [:] }
      }
      var bucket = buckets[client] ?? Bucket(level: burst, seen: now)
      bucket.level = min(burst, bucket.level + bucket.seen.duration(to: now).seconds * rate)
      bucket.seen = now
      defer { buckets[client] = bucket }
      // A request of more than a burst goes through from a full bucket, or it never would.
      let needed = min(Double(count), burst)
      guard bucket.level >= needed else { return (needed - bucket.level) / rate }
      bucket.level -= Double(count)
      return 0
    }
    guard wait == 0 else {
      throw ServiceError.busy("more than \(rate) pictures a second from one address", retryAfter: wait)
    }
  }
}
